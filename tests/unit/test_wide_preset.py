"""The preset `wide`: what its branches add up to, and that no chunk changes a review."""

import numpy as np
import pytest
import tensorflow as tf

from iyu.worker.explain.explainer import PIECE, Explainer
from iyu.worker.explain.methods.registry import METHODS, choose
from iyu.worker.explain.trace import forward, trace
from iyu.worker.model.network import close_up, narrow
from iyu.worker.model.scope import KERNEL, REACH, STRENGTHS, read_gates
from iyu.worker.model.wide import WideNetwork
from iyu.worker.model.wide_artifact import (
    SCOPE_DISCOUNT,
    SCOPE_GRAM_TURN,
    SCOPE_KERNEL,
    SCOPE_REACH,
    SCOPE_THRESHOLD,
    build,
    quantise,
)
from iyu.worker.model.wide_encoder import WideEncoder
from iyu.worker.text.morphemes import Analyzer
from iyu.worker.text.subwords import rows
from iyu.worker.text.vocabulary import Vocabulary

LENGTH, BUCKETS, FEATURES = 30, 1 << 10, 6
TEXTS = [
    "정말 재미있고 감동적인 영화",
    "최악",
    "지루하고 시간이 아까운 영화였다!!!! 돈도 아깝고 배우들의 연기도 어색하다",
    "ㅋㅋㅋㅋㅋㅋㅋ",
    "좋은데 좋은데 " * 12,
    "😀 굿",
    "\u3164",
]


@pytest.fixture(scope="module")
def model():
    import keras

    keras.utils.set_random_seed(4)
    model = build(FEATURES, 5, (1, 2, 3), 4, LENGTH)
    model.get_layer("scale").set_weights([np.full((1, 1), 1.3, np.float32)])
    return model


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary(["영화", "재미있", "최악", "다"])


@pytest.fixture(scope="module")
def tables(vocabulary):
    draw = np.random.default_rng(3)
    embeddings = draw.normal(0, 0.4, (rows(vocabulary), FEATURES)).astype(np.float32)
    grams = draw.normal(0, 0.5, BUCKETS).astype(np.float32)
    return quantise(embeddings, grams) | {
        SCOPE_KERNEL: draw.normal(0, 0.4, (KERNEL, FEATURES, STRENGTHS)).astype(np.float32),
        SCOPE_THRESHOLD: np.zeros(STRENGTHS, np.float32),  # as training leaves it
        SCOPE_REACH: draw.uniform(0.3, 1, (2, REACH)).astype(np.float32),
        SCOPE_DISCOUNT: np.float32(0.4),
        SCOPE_GRAM_TURN: np.float32(1.4),
    }


@pytest.fixture(scope="module")
def network(model, tables):
    return WideNetwork(model, tables)


@pytest.fixture(scope="module")
def encoder(vocabulary, tables):
    return WideEncoder(vocabulary, LENGTH, tables["grams"])


@pytest.fixture(scope="module")
def inputs(encoder):
    return encoder.encode(Analyzer().analyze(TEXTS)).inputs


@pytest.fixture(scope="module")
def gates(network, inputs):
    word = tf.cast(inputs["ids"] > 0, tf.float32)[..., tf.newaxis]
    found = read_gates(network.convolve(network.embed(inputs))[-1] * word, network.scope)
    assert (found.negated.numpy() > 0.05).any()
    assert (found.weight.numpy() < 0.95).any()
    return found


def test_it_is_the_keras_model_that_was_saved(model, network, inputs, gates):
    word = tf.cast(inputs["ids"] > 0, tf.float32)[..., tf.newaxis]
    counted = tf.stack([gates.passed, gates.turned], axis=-1)
    # The Keras model's scale is in the network's shares already.
    wide = network.wide(inputs) * gates.of_grams / 1.3
    expected = model([network.embed(inputs), word, counted, wide])[:, 0]
    np.testing.assert_allclose(tf.sigmoid(forward(network, inputs)), expected, atol=1e-6)


def test_the_branches_add_up_to_the_logit(network, inputs, gates):
    passed = trace(network, inputs)
    without = {**inputs, "gram_weight": np.zeros_like(inputs["gram_weight"])}
    deep = forward(network, without).numpy()
    given = network.wide(inputs).numpy()
    gated = given * gates.of_grams.numpy()
    np.testing.assert_allclose(deep + gated.sum(1), passed.logit, atol=1e-5)
    assert np.abs(given[inputs["ids"] == 0]).max() == 0


def test_without_negation_and_contrast_the_n_grams_add_up_as_they_are(model, tables, inputs):
    closed = WideNetwork(model, tables | {SCOPE_THRESHOLD: np.full(STRENGTHS, 99, np.float32)})
    without = {**inputs, "gram_weight": np.zeros_like(inputs["gram_weight"])}
    given = closed.wide(inputs).numpy().sum(1)
    deep = forward(closed, without).numpy()
    np.testing.assert_allclose(deep + given, forward(closed, inputs), atol=1e-5)


def test_an_n_gram_is_shared_by_the_tokens_it_lies_in(network, inputs):
    """By a loop over n-grams' sums."""
    weight, count = inputs["gram_weight"], inputs["gram_count"]
    expected = np.zeros(inputs["ids"].shape)
    for row, column, span in np.argwhere(weight):
        expected[row, column : column + span + 1] += weight[row, column, span] / (span + 1)
    expected *= 1.3 / np.sqrt(1 + count.sum((1, 2)))[:, np.newaxis]
    np.testing.assert_allclose(network.wide(inputs), expected, atol=1e-5)


def test_gradcam_is_the_heat_of_the_convolutions_and_the_exact_share(network, inputs):
    passed = trace(network, inputs)
    (method,) = choose(["gradcam"])
    deep = method.heat(network, passed).numpy()
    heat = method.attribute(network, passed).numpy()
    np.testing.assert_allclose(heat - deep, network.wide(inputs), atol=1e-6)
    assert np.abs(heat[inputs["ids"] == 0]).max() == 0


def test_channel_weights_are_mean_gradients_where_a_filter_fires(network, inputs, gates):
    """By automatic differentiation of what is pooled; also where two positions share a maximum."""
    passed = trace(network, inputs)
    repeated = [tf.concat([a[:, :15], a[:, :15]], axis=1) for a in passed.activations]
    silent = [a - tf.reduce_max(a) for a in passed.activations]
    word = tf.cast(inputs["ids"] > 0, tf.float32)[..., tf.newaxis]
    for *activations, scope in (passed.activations, tuple(repeated), tuple(silent)):
        counted = read_gates(scope * word, network.scope)
        maps = tf.nn.relu(tf.concat(activations, -1)) * word
        as_read = [maps * gate[..., tf.newaxis] for gate in (counted.passed, counted.turned)]
        with tf.GradientTape() as tape:
            tape.watch(as_read)
            pooled = [p for m in as_read for p in (tf.reduce_max(m, 1), _mean(m, word))]
            z = network.deep(tf.concat(pooled, -1))
        gradients = tape.gradient(z, as_read)
        found = network.channel_weights((*activations, scope), inputs)
        for weights, read, gradient in zip(found, as_read, gradients, strict=True):
            fires = tf.cast(read > 0, tf.float32)
            count = tf.reduce_sum(fires, 1)
            expected = tf.reduce_sum(gradient * fires, 1) / tf.maximum(count, 1.0)
            there = count.numpy() > 0
            np.testing.assert_allclose(weights.numpy()[there], expected.numpy()[there], atol=1e-6)


def _mean(maps, word):
    return tf.reduce_sum(maps, 1) / tf.maximum(tf.reduce_sum(word, 1), 1.0)


def test_the_heat_of_the_convolutions_sums_to_the_weighted_maps(network, inputs, gates):
    """Σ_t heat = Σ_f w_f · Σ_t gated relu(A), and what the gates change of the n-grams."""
    passed = trace(network, inputs)
    heat = choose(["gradcam"])[0].heat(network, passed).numpy()
    word = (inputs["ids"] > 0)[..., np.newaxis]
    *activations, _ = passed.activations
    maps = np.maximum(np.concatenate(activations, -1), 0) * word
    expected = np.zeros(len(TEXTS))
    for weights, gate in zip(
        network.channel_weights(passed.activations, inputs),
        (gates.passed, gates.turned),
        strict=True,
    ):
        for row in range(len(TEXTS)):
            for f in range(maps.shape[2]):
                expected[row] += weights[row, f] * (maps[row, :, f] * gate[row].numpy()).sum()
    expected += (network.wide(inputs) * (gates.of_grams - 1)).numpy().sum(1)
    np.testing.assert_allclose(heat.sum(1), expected, rtol=1e-4, atol=1e-5)


def test_a_word_keeps_what_it_says_and_the_gates_have_what_they_change(network, inputs, gates):
    """The convolutions' part is the same as if nothing were negated, with the same weights."""
    passed = trace(network, inputs)
    by_layer, of_gates = network.channel_heat(passed.activations, inputs)
    plain, _ = network.channel_weights(passed.activations, inputs)
    word = (inputs["ids"] > 0)[..., np.newaxis]
    maps = np.maximum(np.concatenate(passed.activations[:-1], -1), 0) * word
    np.testing.assert_allclose(sum(by_layer), np.einsum("btf,bf->bt", maps, plain), atol=1e-5)
    causes = sum(np.abs(strength) for _, strength in _causes(gates))
    assert np.abs(of_gates.numpy()[causes == 0]).max() == 0


def _causes(gates):
    """Yield the tokens that negate or turn: those that a negation at a distance comes from."""
    yield 0, gates.turns.numpy()
    for distance, part in gates.by_distance:
        moved = np.zeros_like(part.numpy())
        if distance > 0:
            moved[:, distance:] = part.numpy()[:, :-distance]
        else:
            moved[:, :distance] = part.numpy()[:, -distance:]
        yield distance, moved


def test_an_artifact_from_before_the_gates_still_scores(tables, inputs, network):
    import keras

    keras.utils.set_random_seed(4)
    old = {n: v for n, v in tables.items() if not n.startswith("scope")}
    embedded, word = keras.Input((LENGTH, FEATURES)), keras.Input((LENGTH, 1))
    maps = [
        keras.layers.Conv1D(5, k, padding="same", use_bias=False, name=f"conv{k}")(embedded)
        for k in (1, 2, 3)
    ]
    joined = keras.ops.relu(keras.ops.concatenate(maps, -1)) * word
    mean = keras.ops.sum(joined, 1) / keras.ops.maximum(keras.ops.sum(word, 1), 1.0)
    pooled = keras.ops.concatenate([keras.ops.max(joined, 1), mean], -1)
    hidden = keras.layers.Dense(4, activation="relu", name="hidden")(pooled)
    z = keras.layers.Dense(1, name="logit")(hidden)
    scaled = keras.layers.Dense(1, use_bias=False, name="scale")(word[:, 0])
    before = keras.Model([embedded, word], [z, scaled])
    found = WideNetwork(before, old)
    assert [c.name for c in found.convolutions] == ["conv1", "conv2", "conv3"]
    without = {**inputs, "gram_weight": np.zeros_like(inputs["gram_weight"])}
    there = tf.cast(inputs["ids"] > 0, tf.float32)[..., tf.newaxis]
    expected = before([found.embed(inputs), there])[0][:, 0]
    np.testing.assert_allclose(forward(found, without), expected, atol=1e-5)
    explained = Explainer(found, choose(["gradcam"])).explain(inputs)
    assert np.isfinite(explained.heatmaps[0].heat).all()


def test_a_review_is_explained_alike_alone_in_a_chunk_and_in_any_order(network, inputs):
    explainer = Explainer(network, choose(["gradcam"]))
    assert explainer.widths == (16, LENGTH)
    together = explainer.explain(inputs)
    order = np.random.default_rng(1).permutation(len(TEXTS))
    shuffled = explainer.explain({name: value[order] for name, value in inputs.items()})
    np.testing.assert_allclose(shuffled.logit, together.logit[order], atol=1e-5)
    wide = Explainer(network, choose(["gradcam"]))
    wide.widths = (LENGTH,)
    whole = wide.explain(inputs)
    for part in ("heat", "comprehensiveness", "sufficiency"):
        expected = getattr(together.heatmaps[0], part)
        np.testing.assert_allclose(getattr(whole.heatmaps[0], part), expected, atol=1e-5)
        np.testing.assert_allclose(getattr(shuffled.heatmaps[0], part), expected[order], atol=1e-5)
        for row in range(len(TEXTS)):
            alone = explainer.explain({n: v[row : row + 1] for n, v in inputs.items()})
            got = getattr(alone.heatmaps[0], part)[0]
            np.testing.assert_allclose(got, expected[row], atol=1e-5)


def test_every_method_explains_it(network, inputs):
    found = Explainer(network, choose(list(METHODS))).explain(inputs)
    for name, heatmap in zip(METHODS, found.heatmaps, strict=True):
        assert np.isfinite(heatmap.heat).all(), name
        assert (heatmap.completeness_gap is not None) == METHODS[name].is_complete, name


def test_a_method_that_promises_to_be_complete_reports_its_gap(network, inputs):
    """Also for more reviews than go through one pass, and in any order."""
    many = {name: np.concatenate([value] * 20) for name, value in inputs.items()}
    assert len(many["ids"]) > PIECE
    found = Explainer(network, choose(["integrated_gradients"])).explain(many)
    padding = {name: np.zeros_like(value[:1]) for name, value in inputs.items()}
    nothing = Explainer(network, ()).explain(padding).logit
    [heatmap] = found.heatmaps
    gap = heatmap.heat.sum(axis=1) - (found.logit - nothing)
    np.testing.assert_allclose(heatmap.completeness_gap, gap, atol=1e-4)
    assert np.abs(gap).max() < 0.05 * np.abs(found.logit).max()


def test_a_shortened_review_is_the_one_with_the_others_taken_out(network, inputs):
    """The shared products, moved, against the whole way anew; also with everything dropped."""
    draw, word = np.random.default_rng(4), inputs["ids"] > 0
    embedded = network.embed(inputs)
    for share in (0.0, 0.3, 0.8, 1.0):
        kept = word & (draw.random(word.shape) < share)
        expected = forward(network, network.keep(inputs, kept))
        tokens = max(1, int(kept.sum(axis=1).max()))
        found = network.shortened(inputs, embedded, kept, tokens)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_convolutions_are_those_of_tensorflow(network, inputs):
    embedded = network.embed(inputs)
    for convolution, found in zip(network.convolutions, network.convolve(embedded), strict=True):
        expected = tf.nn.conv1d(embedded, convolution.kernel, 1, "SAME")
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_dropping_tokens_drops_their_n_grams_and_closes_the_row_up(network, inputs):
    kept = inputs["ids"] > 0
    kept[0, -2] = False  # the last token but one of 정말 재미있고 감동적인 영화
    shorter = {name: value.numpy() for name, value in network.keep(inputs, kept).items()}
    np.testing.assert_array_equal(shorter["ids"][0, 1:-1], inputs["ids"][0, :-2])
    assert shorter["ids"][0, -1] == inputs["ids"][0, -1]
    count = inputs["gram_count"][0]
    gone = sum(
        count[column, span]
        for column in range(LENGTH)
        for span in range(count.shape[1])
        if column <= LENGTH - 2 <= column + span
    )
    assert gone > 0
    assert shorter["gram_count"][0].sum() == count.sum() - gone
    for name, value in shorter.items():
        np.testing.assert_array_equal(value[1:], inputs[name][1:], err_msg=name)


def test_fewer_columns_of_padding_are_the_same_review(network, inputs):
    few = {name: value[[1, 3]] for name, value in inputs.items()}
    np.testing.assert_allclose(forward(network, narrow(few, 12)), forward(network, few), atol=1e-6)
    few = {name: value[[1]] for name, value in inputs.items()}  # one token: fewer than spans
    assert (few["ids"] > 0).sum() == 1
    np.testing.assert_allclose(forward(network, narrow(few, 1)), forward(network, few), atol=1e-6)
    assert close_up(np.array([[True, False, True]])).numpy().tolist() == [[1, 0, 2]]


def test_of_a_long_review_the_last_tokens_count(encoder):
    long = "하나 둘 셋 넷 다섯 " * 20
    cut = Analyzer().analyze([long.strip()])
    inputs = encoder.encode(cut).inputs
    assert (inputs["ids"] > 0).all()
    first_seen = cut[0].starts[len(cut[0]) - LENGTH]
    rest = encoder.encode(Analyzer().analyze([long.strip()[first_seen:]])).inputs
    np.testing.assert_array_equal(inputs["ids"], rest["ids"])
    # The shorter text has a mark at its beginning, the longer one goes on there.
    np.testing.assert_array_equal(inputs["gram_count"][0, 4:], rest["gram_count"][0, 4:])


def test_quantising_loses_little():
    draw = np.random.default_rng(2)
    embeddings = draw.normal(0, 0.3, (50, 8)).astype(np.float32)
    grams = draw.normal(0, 0.5, 100).astype(np.float32)
    tables = quantise(embeddings, grams)
    back = tables["embedding"] * tables["embedding_scale"].astype(np.float32)
    assert np.abs(back - embeddings).max() < 0.006
    assert np.abs(tables["grams"] - grams).max() < 2e-3
