"""Every method against an independent route, on the real architecture with random weights."""

import numpy as np
import pytest

from iyu.worker.explain.explainer import Explainer
from iyu.worker.explain.kernel_slot_shares import share, share_uniform, spread
from iyu.worker.explain.methods.integrated_gradients import IntegratedGradients
from iyu.worker.explain.methods.registry import METHODS, choose
from iyu.worker.explain.trace import forward, trace
from iyu.worker.model.source import SourceNetwork
from tests.unit.networks import reviews, source_model, source_network

EVERY = ("gradcam@conv2", "hirescam@conv3", "kernel_gradcam@all", *METHODS)


@pytest.fixture(scope="module")
def network():
    return source_network()


@pytest.fixture(scope="module")
def ids():
    return reviews(24)


@pytest.fixture(scope="module")
def passed(network, ids):
    return trace(network, {"ids": ids})


@pytest.fixture(scope="module")
def explainer(network):
    return Explainer(network, choose(EVERY))


def test_the_fused_recurrent_layer_is_keras_own(network, ids):
    expected = source_model()(ids).numpy()[:, 0]
    z = forward(network, {"ids": ids}).numpy()
    np.testing.assert_allclose(1 / (1 + np.exp(-z)), expected, atol=1e-6)


def test_gradients_are_finite_differences(network, passed):
    """Each entry of g against (z(A + h) − z(A − h)) / 2h, for a few entries of each layer."""
    draw, step = np.random.default_rng(1), 1e-2
    for layer, gradients in enumerate(passed.gradients):
        activations = [a.numpy() for a in passed.activations]
        for _ in range(6):
            at = tuple(int(draw.integers(n)) for n in gradients.shape)
            z = []
            for sign in (1, -1):
                moved = [a.copy() for a in activations]
                moved[layer][at] += sign * step
                z.append(float(network.logit(tuple(moved), passed.inputs)[at[0]]))
            assert (z[0] - z[1]) / (2 * step) == pytest.approx(float(gradients[at]), abs=1e-3)


def test_sharing_is_the_vector_jacobian_product(network, passed):
    """x · ∂(Σ weights · A)/∂x by automatic differentiation."""
    import tensorflow as tf

    for layer, convolution in enumerate(network.convolutions):
        with tf.GradientTape() as tape:
            tape.watch(passed.embedded)
            total = tf.reduce_sum(
                network.convolve(passed.embedded)[layer] * passed.gradients[layer]
            )
        expected = tf.reduce_sum(passed.embedded * tape.gradient(total, passed.embedded), axis=-1)
        got = share(convolution, passed.embedded, passed.gradients[layer])
        np.testing.assert_allclose(got, expected, atol=1e-5)


def test_uniform_sharing_is_sharing_of_equal_weights(network, passed):
    import tensorflow as tf

    for convolution, gradients in zip(network.convolutions, passed.gradients, strict=True):
        weights = gradients[:, 3]
        repeated = tf.repeat(weights[:, tf.newaxis], gradients.shape[1], axis=1)
        np.testing.assert_allclose(
            share_uniform(convolution, passed.embedded, weights),
            share(convolution, passed.embedded, repeated),
            atol=1e-5,
        )


def test_spreading_keeps_the_sum(network, passed):
    for convolution, activations in zip(network.convolutions, passed.activations, strict=True):
        positions = activations[:, :, 0]
        np.testing.assert_allclose(
            spread(convolution, positions).numpy().sum(1), positions.numpy().sum(1), atol=1e-5
        )


def test_gradient_x_input_sums_to_the_activations_without_bias(network, passed):
    heat = choose(["gradient_x_input"])[0].attribute(network, passed)
    expected = sum(
        (g.numpy() * (a.numpy() - c.bias.numpy())).sum((1, 2))
        for g, a, c in zip(passed.gradients, passed.activations, network.convolutions, strict=True)
    )
    np.testing.assert_allclose(heat.numpy().sum(1), expected, rtol=1e-5, atol=1e-5)


def test_gradcam_sums_to_the_weighted_activations(network, passed):
    heat = choose(["gradcam"])[0].attribute(network, passed)
    expected = sum(
        (g.numpy().mean(1, keepdims=True) * a.numpy()).sum((1, 2))
        for g, a in zip(passed.gradients, passed.activations, strict=True)
    )
    np.testing.assert_allclose(heat.numpy().sum(1), expected, rtol=1e-5, atol=1e-5)


def test_kernel_gradcam_is_a_tape_for_each_review(network, ids):
    import tensorflow as tf

    model = source_model()
    first = model.get_layer("conv1")
    rest = SourceNetwork(model)
    heat = Explainer(rest, choose(["kernel_gradcam"])).explain({"ids": ids}).heatmaps[0].heat
    for row, got in zip(ids, heat, strict=True):
        one = {"ids": row[np.newaxis]}
        with tf.GradientTape() as tape:
            tape.watch(first.kernel.value)
            activations = rest.convolve(rest.embed(one))
            probability = tf.sigmoid(rest.logit(activations, one))
        gradient = tape.gradient(probability, first.kernel.value)  # (1, 50, 32)
        weights = tf.reduce_mean(gradient, axis=(0, 1))
        expected = tf.reduce_mean(activations[0][0] * weights, axis=-1)
        np.testing.assert_allclose(got, expected, atol=1e-6)


def test_integrated_gradients_are_a_dense_integral(network, ids):
    """300 midpoints, one at a time, in the space of the embeddings."""
    import tensorflow as tf

    x = network.embed({"ids": ids})
    pad = network.embed({"ids": np.zeros_like(ids)})

    @tf.function
    def gradient_at(point):
        with tf.GradientTape() as tape:
            between = pad + point * (x - pad)
            tape.watch(between)
            z = network.logit(network.convolve(between), {"ids": ids})
        return tape.gradient(z, between)

    points = (np.arange(300, dtype=np.float32) + 0.5) / 300
    total = sum(gradient_at(tf.constant(p)).numpy().astype(np.float64) for p in points) / 300
    expected = (total * (x - pad).numpy()).sum(-1)
    heat = IntegratedGradients(steps=48).heat(network, trace(network, {"ids": ids}))
    np.testing.assert_allclose(heat, expected, atol=1e-3)


def test_the_gap_of_integrated_gradients_closes_with_more_points(network, ids):
    nothing = forward(network, {"ids": np.zeros_like(ids)}).numpy()
    passed = trace(network, {"ids": ids})
    difference = passed.logit.numpy() - nothing
    gaps = [
        np.abs(IntegratedGradients(steps=n).heat(network, passed).numpy().sum(1) - difference)
        for n in (1, 8, 48)
    ]
    assert gaps[0].mean() > gaps[1].mean() > gaps[2].mean()
    assert gaps[2].max() < 1e-3


def test_padding_has_no_heat_where_padding_is_the_baseline(explainer, ids):
    explained = explainer.explain({"ids": ids})
    for name, heatmap in zip(EVERY, explained.heatmaps, strict=True):
        if name in {"integrated_gradients", "occlusion", "random"}:
            assert np.abs(heatmap.heat[ids == 0]).max() < 1e-6, name


def test_flipping_embedding_dimensions_with_their_kernel_rows_changes_kernel_gradcam_alone(
    explainer, ids
):
    """The same function of the ids, written with other weights."""
    model = source_model()
    flip = np.where(np.random.default_rng(2).random(50) < 0.5, -1, 1).astype(np.float32)
    embedding = model.get_layer("embedding")
    embedding.set_weights([embedding.get_weights()[0] * flip])
    for name in ("conv1", "conv2", "conv3"):
        kernel, bias = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([kernel * flip[:, np.newaxis], bias])
    before = explainer.explain({"ids": ids})
    after = Explainer(SourceNetwork(model), choose(EVERY)).explain({"ids": ids})
    np.testing.assert_allclose(before.probability, after.probability, atol=1e-6)
    for name, one, other in zip(EVERY, before.heatmaps, after.heatmaps, strict=True):
        change = np.abs(one.heat - other.heat).max() / np.abs(one.heat).max()
        assert (change > 1e-2) if name.startswith("kernel_gradcam") else (change < 1e-5), name


def test_a_review_is_explained_alike_alone_in_a_chunk_and_in_any_order(explainer, ids):
    together = explainer.explain({"ids": ids})
    order = np.random.default_rng(4).permutation(len(ids))
    shuffled = explainer.explain({"ids": ids[order]})
    for i, name in enumerate(EVERY):
        one, other = together.heatmaps[i], shuffled.heatmaps[i]
        np.testing.assert_allclose(other.heat, one.heat[order], atol=1e-5, err_msg=name)
        # Tokens whose heats differ by less than rounding may change places, and with them which
        # of the two is left out.
        for part in ("comprehensiveness", "sufficiency"):
            alike = np.isclose(getattr(other, part), getattr(one, part)[order], atol=1e-5)
            assert alike.sum() >= len(ids) - 1, (name, part)
    for row in range(0, len(ids), 5):
        alone = explainer.explain({"ids": ids[row : row + 1]})
        assert alone.probability[0] == pytest.approx(together.probability[row], abs=1e-5)
        for i, name in enumerate(EVERY):
            np.testing.assert_allclose(
                alone.heatmaps[i].heat[0], together.heatmaps[i].heat[row], atol=1e-5, err_msg=name
            )


def test_a_network_is_traced_once_for_every_size_of_chunk(network, ids):
    explainer = Explainer(network, choose(["gradcam"]))
    for size in (1, 7, 24):
        explainer.explain({"ids": ids[:size]})
    assert len(explainer._passes) == 1  # concrete functions: none of them can be traced again
