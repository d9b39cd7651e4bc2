"""Word vectors: a file of them, a vocabulary that grows, and what a training makes of them."""

from pathlib import Path

import numpy as np
import pytest

from iyu.schemas.contract.errors import InputError
from iyu.worker.model.artifact import load
from iyu.worker.text.subwords import rows
from iyu.worker.text.vocabulary import Vocabulary
from iyu.worker.training.composition.gates import add_gates
from iyu.worker.training.composition.stage import take_over, widen
from iyu.worker.training.wide.corpus import Corpus, cut_texts
from iyu.worker.training.wide.deep import Deep, Shape, scope_of
from iyu.worker.training.wide.fit import Fit, Trainee
from iyu.worker.training.word_vectors import WordVectors, read_word_vectors

BUCKETS = 1 << 10
TEXTS = ["재밌지 않다", "안 지루하다", "재밌다", "지루하다 간편하다", "간편 간편"] * 4
SHAPE = Shape(features=8, filters=5, hidden=4)


def _vectors() -> WordVectors:
    table = np.random.default_rng(4).normal(0, 1, (3, 6)).astype(np.float32)
    return WordVectors("vectors.npz", "0", ["재밌", "간편", "유용"], table)


def _student(vocabulary: Vocabulary):
    draw = np.random.default_rng(1)
    table = draw.normal(0, 0.5, (rows(vocabulary), 8)).astype(np.float32)
    kernel = draw.normal(0, 0.5, (3, 8, 4)).astype(np.float32)
    grams = draw.normal(0, 0.5, BUCKETS).astype(np.float32)
    return add_gates({**Deep.fresh(table, SHAPE, 1).arrays(), "grams": grams}, kernel)


def _logits(weights, vocabulary: Vocabulary, vectors=None) -> Trainee:
    return Trainee(Deep(weights, SHAPE, vectors=vectors), BUCKETS, 1, weights["grams"])


def test_a_file_of_vectors_is_read_as_it_was_written(tmp_path: Path):
    words, table = ["재밌", "간편"], np.eye(2, 4, dtype=np.float16)
    path = tmp_path / "vectors.npz"
    np.savez(path, words=np.frombuffer("\n".join(words).encode(), np.uint8), vectors=table)
    found = read_word_vectors(path)
    assert found.words == words
    np.testing.assert_array_equal(found.vectors, table)


def test_another_file_is_refused_with_what_to_do(tmp_path: Path):
    with pytest.raises(InputError, match="check the path"):
        read_word_vectors(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", table=np.zeros(3))
    with pytest.raises(InputError, match=r"benchmarks/word_vectors\.py"):
        read_word_vectors(tmp_path / "other.npz")


def test_a_vocabulary_keeps_its_ids_and_a_student_what_it_says_of_known_words():
    old = Vocabulary(["재밌", "지", "않", "다", "안"])
    new = _vectors().extend(old)
    assert new.surfaces == (*old.surfaces, "간편", "유용")
    weights = _student(old)
    known = ["재밌지 않다", "안 재밌다"]
    said = [
        _logits(w, v).logits(Corpus([cut_texts(known, 8, BUCKETS)], v, BUCKETS), np.arange(2))
        for w, v in ((weights, old), (widen(weights, len(old), len(new)), new))
    ]
    np.testing.assert_allclose(*said, atol=1e-5)


def test_what_vectors_teach_is_left_in_the_embeddings():
    vocabulary = _vectors().extend(Vocabulary(["재밌", "지", "않", "다", "안", "지루"]))
    table = _vectors().table(vocabulary, 2.0)
    corpus = Corpus([cut_texts(TEXTS, 8, BUCKETS)], vocabulary, BUCKETS)
    weights = _student(vocabulary)
    trainee = _logits(weights, vocabulary, table)
    every, wanted = np.arange(len(TEXTS)), np.ones(len(TEXTS), np.float32)
    quiet = np.full(len(TEXTS), 0.5, np.float32)
    trainee.fit(corpus, wanted, every, Fit(30, 4), 1, lambda _: None, quiet=quiet)
    learned = {**trainee.deep.arrays(), **trainee.gram_arrays()}
    assert set(learned) == set(weights)  # nothing more is read at inference
    np.testing.assert_allclose(
        _logits(learned, vocabulary).logits(corpus, every),
        trainee.logits(corpus, every),
        atol=1e-4,
    )
    unread = vocabulary.ids(["유용"])[0]  # it moved by its vector alone
    assert np.abs(learned["embedding"][unread] - weights["embedding"][unread]).max() > 0.01


def test_a_model_with_gates_goes_on_with_them():
    artifact = load("wide")
    scope = scope_of(dict(take_over(artifact)))
    np.testing.assert_allclose(scope.reach, artifact.tables["scope_reach"], atol=2e-4)
    np.testing.assert_allclose(scope.discount, artifact.tables["scope_discount"], atol=1e-4)
    np.testing.assert_allclose(scope.gram_turn, artifact.tables["scope_gram_turn"], atol=2e-4)
