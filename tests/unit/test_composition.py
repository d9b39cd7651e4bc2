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
from iyu.worker.training.composition.predicates import predicates
from iyu.worker.training.composition.sentences import make_sentences
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
    assert not tested & {p.stem for p in predicates()}
    sentences = {s for part in PARTS for case in cases(part) for s in case.sentences}
    assert not sentences & {text for text, _ in make_sentences(20_000, 1)}


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
