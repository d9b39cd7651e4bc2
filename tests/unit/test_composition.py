"""Examples of negation and contrast, and the gates that learn from them."""

import numpy as np
import pytest
import tensorflow as tf

from iyu.console.analysis.behaviour import predicates as behaviour
from iyu.console.analysis.behaviour.cases import cases
from iyu.console.analysis.behaviour.measure import PARTS
from iyu.worker.explain.trace import forward
from iyu.worker.model.scope import AFTER, BEFORE, KERNEL, STOPS, STRENGTHS, TURNS
from iyu.worker.model.wide import WideNetwork
from iyu.worker.model.wide_artifact import EMBEDDING, EMBEDDING_SCALE, GRAMS
from iyu.worker.model.wide_encoder import WideEncoder
from iyu.worker.text.morphemes import Analyzer
from iyu.worker.text.subwords import rows
from iyu.worker.text.vocabulary import Vocabulary
from iyu.worker.training.composition.counterfactuals import counterfactuals
from iyu.worker.training.composition.gates import add_gates, fit_kernel
from iyu.worker.training.composition.marks import mark, mark_windows
from iyu.worker.training.sentences.conjugation import conjugate
from iyu.worker.training.sentences.make import make_sentences
from iyu.worker.training.sentences.predicates import phrases, predicates
from iyu.worker.training.wide.corpus import Corpus, cut_texts
from iyu.worker.training.wide.deep import Deep, Shape
from iyu.worker.training.wide.export import keras_model, scope_tables
from iyu.worker.training.wide.fit import Fit, Trainee

LENGTH, BUCKETS = 24, 1 << 10
NEGATED = [
    "재밌지 않다",
    "안 지루해요",
    "배우는 좋은데 영화는 재미없지 않았다 아니 재밌다",
    "최고",
    "안",
    "정말 길고 긴 영화지만 " * 9,
]


def test_training_sees_no_predicate_and_no_sentence_of_the_behaviour_test():
    tested = {p.stem for part in PARTS for p in behaviour.predicates(part)}
    assert not tested & {p.forms.stem for p in predicates()}
    said = phrases()
    assert not tested & {v.forms.stem for verbs in said.verbs.values() for v in verbs}
    sentences = {s for part in PARTS for case in cases(part) for s in case.sentences}
    assert not sentences & {text for text, _ in make_sentences(20_000, 1)}


@pytest.mark.parametrize(
    ("word", "spoken"),
    [
        ("편하다", "편해요 편했다 편한데 편하네요 편하다고 편합니다 편함"),
        ("재빠르다", "재빨라요 재빨랐다 재빠른데 재빠르네요 재빠르다고 재빠릅니다 재빠름"),
        ("가볍다", "가벼워요 가벼웠다 가벼운데 가볍네요 가볍다고 가볍습니다 가벼움"),
        ("고르다", "골라요 골랐다 고른데 고르네요 고르다고 고릅니다 고름"),
        ("곱다", "고와요 고왔다 고운데 곱네요 곱다고 곱습니다 고움"),
        ("멀다", "멀어요 멀었다 먼데 머네요 멀다고 멉니다 멂"),
        ("예쁘다", "예뻐요 예뻤다 예쁜데 예쁘네요 예쁘다고 예쁩니다 예쁨"),
        ("얇다", "얇아요 얇았다 얇은데 얇네요 얇다고 얇습니다 얇음"),
        ("맛있다", "맛있어요 맛있었다 맛있는데 맛있네요 맛있다고 맛있습니다 맛있음"),
        ("세련되다", "세련돼요 세련됐다 세련된데 세련되네요 세련되다고 세련됩니다 세련됨"),
        ("극적이다", "극적이에요 극적이었다 극적인데 극적이네요 극적이라고 극적입니다 극적임"),
        ("최고이다", "최고예요 최고였다 최고인데 최고네요 최고라고 최고입니다 최고임"),
    ],
)  # fmt: skip
def test_predicates_are_conjugated_as_people_do(word: str, spoken: str):
    f = conjugate(word)
    found = f"{f.infinitive}요 {f.past}다 {f.modifier}데 {f.exclaimed}네요 {f.quoted}고"
    assert f"{found} {f.polite} {f.noun}" == spoken


def test_verbs_are_conjugated_as_verbs():
    f = conjugate("흔들리다", is_verb=True)
    assert (f.modifier, f.quoted, f.infinitive) == ("흔들리는", "흔들린다", "흔들려")
    f = conjugate("마음에 들다", is_verb=True)
    assert (f.modifier, f.quoted, f.exclaimed) == ("마음에 드는", "마음에 든다", "마음에 드")


def test_no_word_of_the_lexicon_stands_with_both_signs_for_the_same_subject():
    signs: dict[tuple[str, str], set[bool]] = {}
    for p in predicates():
        for subject in p.subjects:
            signs.setdefault((subject, p.forms.stem), set()).add(p.is_praise)
    assert not [said for said, found in signs.items() if len(found) > 1]


def test_made_sentences_are_of_both_kinds_and_the_same_for_a_seed():
    made = make_sentences(2_000, 5)
    assert made == make_sentences(2_000, 5)
    assert made != make_sentences(2_000, 6)
    assert 0.4 < np.mean([praise > 0.5 for _, praise in made]) < 0.6
    assert all(0 < praise < 1 and text.strip() for text, praise in made)


@pytest.mark.parametrize(
    ("text", "strength", "surface"),
    [
        ("재밌지 않다", BEFORE, "않"),
        ("안 재밌다", AFTER, "안"),
        ("단점이 없어요", BEFORE, "없"),
        ("명작은 아니다", BEFORE, "아니"),
        ("재밌을 줄 알았는데", BEFORE, "알"),
        ("배우는 좋지만 별로다", TURNS, "지만"),
        ("연기가 좋고 노래가 좋다", STOPS, "고"),
    ],
)
def test_the_rules_mark_what_turns_words_round(text: str, strength: int, surface: str):
    (cut,) = Analyzer().analyze([text])
    marked = [s for s, m in zip(cut.surfaces, mark(cut), strict=True) if m[strength]]
    assert [m for m in marked if m.startswith(surface)], (cut.surfaces, marked)


def test_words_without_negation_are_not_marked():
    (cut,) = Analyzer().analyze(["정말 재미있는 영화 최고"])
    assert not mark(cut).any()


def test_a_review_with_its_predicate_negated_gets_the_other_label():
    texts = ["영화 재밌다", "영화 지루하다", "재밌다 안 지루하다"] * 10
    labels = np.array([1, 0, 1] * 10, np.int8)
    found = dict(counterfactuals(Analyzer().analyze(texts), labels, 1))
    assert found
    for text, praise in found.items():
        assert "않" in text or "안 " in text
        assert ("재밌" in text) == (praise < 0.5)
        assert not ("재밌" in text and "지루" in text)  # a negation of its own: left alone


@pytest.fixture(scope="module")
def student():
    vocabulary = Vocabulary(["재밌", "지", "않", "다", "안", "지루"])
    shape = Shape(features=8, filters=5, hidden=4)
    embeddings = np.random.default_rng(1).normal(0, 0.5, (rows(vocabulary), 8)).astype(np.float32)
    deep = dict(Deep.fresh(embeddings, shape, 1).arrays())
    grams = np.random.default_rng(2).normal(0, 0.5, BUCKETS).astype(np.float32)
    kernel = np.random.default_rng(3).normal(0, 0.5, (KERNEL, 8, STRENGTHS)).astype(np.float32)
    return vocabulary, shape, add_gates({**deep, "grams": grams}, kernel)


def test_a_student_says_in_training_what_its_artifact_says(student):
    """Padding behind or in front, n-grams one by one or summed by token: the same logit."""
    vocabulary, shape, weights = student
    corpus = Corpus([cut_texts(NEGATED, LENGTH, BUCKETS)], vocabulary, BUCKETS)
    trainee = Trainee(Deep(weights, shape), BUCKETS, 1, weights["grams"])
    trained = trainee.logits(corpus, np.arange(len(NEGATED))).sum(axis=1)
    tables = scope_tables(weights) | {
        EMBEDDING: weights["embedding"],
        EMBEDDING_SCALE: np.ones((len(weights["embedding"]), 1), np.float32),
        GRAMS: weights["grams"],
    }
    network = WideNetwork(keras_model(weights, LENGTH, 1.0), tables)
    encoder = WideEncoder(vocabulary, LENGTH, weights["grams"])
    inputs = encoder.encode(Analyzer().analyze(NEGATED)).inputs
    np.testing.assert_allclose(forward(network, inputs), trained, atol=1e-4)
    closed = dict(tables) | {"scope_threshold": np.full(STRENGTHS, 99, np.float32)}
    without = forward(WideNetwork(keras_model(weights, LENGTH, 1.0), closed), inputs)
    assert np.abs(without.numpy() - trained).max() > 0.01  # the gates do something


def test_with_its_gates_closed_a_student_says_what_it_said_before(student):
    vocabulary, shape, weights = student
    before = {n: v for n, v in weights.items() if not n.startswith("scope")}
    before["hidden"] = weights["hidden"][: len(weights["hidden"]) // 2]
    closed = weights | {"scope_threshold": np.full(STRENGTHS, 99, np.float32)}
    corpus = Corpus([cut_texts(NEGATED, LENGTH, BUCKETS)], vocabulary, BUCKETS)
    found = [
        Trainee(Deep(given, shape), BUCKETS, 1, weights["grams"]).logits(corpus, np.arange(4))
        for given in (before, closed)
    ]
    np.testing.assert_allclose(*found, atol=1e-5)


def test_the_gates_begin_with_the_rules(student):
    vocabulary, _, weights = student
    texts = ["재밌지 않다", "안 지루하다", "재밌다", "지루하다 다"] * 20
    corpus = Corpus([cut_texts(texts, LENGTH, BUCKETS)], vocabulary, BUCKETS)
    marks = mark_windows(Analyzer().analyze(texts), LENGTH)
    kernel = fit_kernel(weights["embedding"], corpus, marks, 300, 1, lambda _: None)
    embedded = tf.reduce_sum(tf.gather(weights["embedding"], corpus.rows(np.arange(4))), 2)
    there = (corpus.rows(np.arange(4))[..., :1] > 0).astype(np.float32)
    found = tf.nn.conv1d(embedded * there, kernel, 1, "SAME").numpy()
    expected = np.zeros_like(found)
    at = 0
    for i, count in enumerate(corpus.counts[:4]):
        expected[i, :count] = marks[at : at + count]
        at += count
    word = there[..., 0] > 0
    assert ((found > 0) == (expected > 0))[word].mean() > 0.95


def test_an_embedding_that_is_frozen_stays(student):
    vocabulary, shape, weights = student
    corpus = Corpus([cut_texts(NEGATED, LENGTH, BUCKETS)], vocabulary, BUCKETS)
    deep = Deep(weights, shape, frozen=("embedding",))
    trainee = Trainee(deep, BUCKETS, 1, weights["grams"])
    targets = np.ones(len(NEGATED), np.float32)
    trainee.fit(corpus, targets, np.arange(len(NEGATED)), Fit(5, 4), 1, lambda _: None)
    np.testing.assert_array_equal(deep.arrays()["embedding"], weights["embedding"])
    assert np.abs(deep.arrays()["hidden"] - weights["hidden"]).max() > 0
