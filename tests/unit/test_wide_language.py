"""The language model and the readers that begin with it, on small numbers."""

import numpy as np
import pytest

from iyu.worker.training.wide.corpus import Corpus, Cut, cut_texts, vocabulary_of
from iyu.worker.training.wide.language import Language, LanguageModel
from iyu.worker.training.wide.recurrent import BothWays, Gru, Reader, Reading

FEATURES, UNITS = 5, 4
ROWS = np.array(
    [[[2, 7, 8, 9], [3, 8, 9, 7], [4, 7, 7, 7]], [[5, 9, 9, 8], [0, 0, 0, 0], [0, 0, 0, 0]]],
    np.int32,
)


@pytest.fixture
def draw() -> np.random.Generator:
    return np.random.default_rng(3)


def normal(draw: np.random.Generator, *shape: int) -> np.ndarray:
    return draw.normal(size=shape).astype(np.float32)


def language(draw: np.random.Generator) -> dict[str, np.ndarray]:
    both = BothWays.fresh(FEATURES, UNITS, draw)
    return {"embedding": normal(draw, 10, FEATURES), **both.arrays()}


def test_the_recurrent_layer_is_that_of_keras(draw: np.random.Generator):
    import keras

    layer = keras.layers.GRU(UNITS, return_sequences=True)
    layer.build((None, None, FEATURES))
    kernel, recurrent, bias = (normal(draw, *w.shape) for w in layer.weights)
    layer.set_weights([kernel, recurrent, bias])
    inputs = normal(draw, 3, 6, FEATURES)
    np.testing.assert_allclose(Gru(kernel, recurrent, bias)(inputs), layer(inputs), atol=1e-5)


def test_the_way_back_begins_at_the_last_token(draw: np.random.Generator):
    both = BothWays.fresh(FEATURES, UNITS, draw)
    inputs, behind = normal(draw, 1, 3, FEATURES), normal(draw, 1, 4, FEATURES)
    short, long = (
        both(given, np.int32([3]))[1] for given in (inputs, np.concatenate([inputs, behind], 1))
    )
    np.testing.assert_allclose(short[:, :3], long[:, :3], atol=1e-6)
    once = BothWays.read(both.arrays())
    turned = once(inputs[:, ::-1], np.int32([3]))[1]
    assert not np.allclose(short, turned, atol=1e-3)  # the order matters


def test_a_reader_says_the_same_in_any_number_of_columns(draw: np.random.Generator):
    reader = Reader(language(draw), Reading(hidden=6), seed=1)
    wider = np.pad(ROWS, ((0, 0), (0, 3), (0, 0)))
    narrow, wide = (reader.read(rows, training=False)[0].numpy() for rows in (ROWS, wider))
    np.testing.assert_allclose(narrow, wide, atol=1e-5)
    assert narrow[0] != pytest.approx(narrow[1], abs=1e-4)


def test_a_review_without_tokens_has_a_logit(draw: np.random.Generator):
    reader = Reader(language(draw), Reading(hidden=6), seed=1)
    nothing = np.zeros((2, 4, 4), np.int32)
    assert np.isfinite(reader.read(nothing, training=False)[0]).all()
    assert np.isfinite(reader.read(nothing, training=True)[0]).all()


def test_dropout_is_of_training_alone(draw: np.random.Generator):
    reader = Reader(language(draw), Reading(hidden=6), seed=1)
    said = [reader.read(ROWS, training=False)[0].numpy() for _ in range(2)]
    np.testing.assert_array_equal(*said)
    learned = {tuple(reader.read(ROWS, training=True)[0].numpy()) for _ in range(5)}
    assert len(learned) > 1


def test_the_language_model_learns_what_follows():
    """Two sentences in a fixed order: after training, the loss is far below that of a guess."""
    texts = ["정말 재미있는 영화 최고", "시간 아까운 지루한 작품"] * 200
    cut = Cut.read(cut_texts(texts, 16, 1 << 10).arrays())
    vocabulary = vocabulary_of(cut.frequencies(len(texts)), 100)
    corpus = Corpus([cut], vocabulary, 1 << 10)
    how = Language(features=8, units=8, epochs=40, batch=40, rate=1e-2, others=8)
    rows = int(corpus.tokens.max()) + 1
    begin = np.random.default_rng(1).normal(0, 0.05, (rows, how.features)).astype(np.float32)
    model = LanguageModel(begin, len(vocabulary), how, seed=1)
    some, said = corpus.rows(np.arange(2)), list[str]()
    before = float(model.loss(some))
    model.fit(corpus, np.arange(len(corpus)), 1, said.append)
    assert float(model.loss(some)) < 0.2 * before
    assert said[-1] == "epoch 40/40"
    assert model.arrays()["embedding"].shape == begin.shape
