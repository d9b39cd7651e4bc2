"""Every method against figures reckoned on paper; see TinyNetwork for the network."""

from pathlib import Path

import numpy as np
import pytest

from iyu.schemas.contract.errors import SettingsError
from iyu.worker.explain.explainer import Explainer
from iyu.worker.explain.methods.registry import METHODS, choose
from iyu.worker.explain.quality.faithfulness import heat_pass
from iyu.worker.model.network import Inputs, Tensor
from tests.unit.networks import TinyNetwork

PAD_A_B = {"ids": np.int32([[0, 1, 2]])}

BY_HAND = {
    # w1 = mean(1, 2, 3) = 2, w2 = 6. conv1: 2 · (2.5, 3.5, −0.5). conv2: 6 · x[t,0] from its own
    # position and 6 · x[t,1] from the one before, which PAD in front has not: (0, 18, 6 − 6);
    # and its bias, 6 · 1 at positions that see tokens 0 and 1, 1 and 2, 2 alone: (3, 3 + 3, 3 + 6).
    "gradcam": [8, 31, 8],
    "gradcam@conv1": [5, 7, -1],
    "gradcam@conv2": [3, 24, 9],
    # conv1: g · A = (2.5, 7, −1.5). conv2: 6 · (1, 3, 2), spread like the bias above:
    # (3, 3 + 9, 9 + 12).
    "hirescam": [5.5, 19, 19.5],
    # conv1: (1, 2, 3) · (2, 3, −1). conv2: (0, 18, 0) as above, its gradients are equal.
    "gradient_x_input": [2, 24, -3],
    "gradient_x_input@conv1": [2, 6, -3],
    # From PAD PAD PAD: Σ a2 goes from 5 to 6, so its mean gradient is 5.5.
    # A − PAD = (3, −1), B − PAD = (1, −2). conv1: 2 · 1, 3 · −3. conv2: 5.5 · 2, 5.5 · −1.
    "integrated_gradients": [0, 13, -14.5],
    # PAD PAD B: a1 loses 2 · 1, ½ · 6² becomes ½ · 4². PAD A PAD: a1 gains 9, ½ · 7².
    "occlusion": [0, 12, -15.5],
    # ∂z/∂W = 9, −2 by channel, 3.5 in the mean; p = ½, so ∂p/∂z = ¼. 0.875 · A.
    "kernel_gradcam": [2.1875, 3.0625, -0.4375],
    "kernel_gradcam:logit": [8.75, 12.25, -1.75],
    # ∂z/∂W2 = (24, 0), (24, −6), 10.5 in the mean; 10.5 · (1, 3, 2) spread as for hirescam.
    "kernel_gradcam@conv2:logit": [5.25, 21, 36.75],
}


def explain(network, *names, ids=PAD_A_B):
    return Explainer(network, choose(names)).explain(ids)


@pytest.mark.parametrize(("name", "heat"), BY_HAND.items())
def test_heat_is_what_paper_says(name, heat):
    explained = explain(TinyNetwork(), name)
    assert explained.logit[0] == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(explained.heatmaps[0].heat[0], heat, rtol=1e-5, atol=1e-5)


def test_every_method_has_figures_by_hand():
    assert {name for name in METHODS if name not in BY_HAND} == {"random"}


def test_a_linear_branch_is_its_own_explanation():
    """It adds to the heat of whatever explains the whole; occlusion sees it by itself."""
    wide = [0, 0.5, -0.5]  # the sum is 0, so z and p stay what they were
    for name, heat in BY_HAND.items():
        whole = "@conv" not in name and not name.startswith("kernel")
        expected = np.array(heat) + (wide if whole else [0, 0, 0])
        got = explain(TinyNetwork(wide=wide), name).heatmaps[0].heat[0]
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5, err_msg=name)
    quarter = np.array(explain(TinyNetwork(wide=wide), "kernel_gradcam@all").heatmaps[0].heat[0])
    without = explain(TinyNetwork(), "kernel_gradcam@all").heatmaps[0].heat[0]
    np.testing.assert_allclose(quarter - without, [0, 0.125, -0.125], atol=1e-5)


def test_layers_are_named():
    network = TinyNetwork(wide=[0, 1, 1])
    names = ("gradcam", "gradcam@conv2", "kernel_gradcam", "occlusion")
    assert Explainer(network, choose(names)).layers == (
        "conv1+conv2+wide",
        "conv2",
        "conv1",
        "conv1+conv2",
    )


def test_worth_is_what_paper_says():
    """Predicted negative; toward negative B weighs most, and a fifth of two tokens is one.

    Without B, PAD PAD A: z = 18 + 24.5 − 26 = 16.5. B alone, PAD PAD B: z = 6 + 8 − 26 = −12.
    """
    heatmap = explain(TinyNetwork(scale=0.1), "gradcam").heatmaps[0]

    def negative(z):
        return 1 / (1 + np.exp(z))

    assert heatmap.comprehensiveness[0] == pytest.approx(0.5 - negative(1.65), abs=1e-6)
    assert heatmap.sufficiency[0] == pytest.approx(0.5 - negative(-1.2), abs=1e-6)


def test_the_completeness_gap_belongs_to_integrated_gradients_alone():
    explained = explain(TinyNetwork(), *METHODS)
    gaps = {
        name: heatmap.completeness_gap
        for name, heatmap in zip(METHODS, explained.heatmaps, strict=True)
    }
    assert gaps.pop("integrated_gradients")[0] == pytest.approx(0, abs=1e-5)
    assert set(gaps.values()) == {None}


def test_random_heat_is_splitmix_of_the_ids():
    mask = 2**64 - 1

    def mix(value):
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & mask
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB & mask
        return value ^ (value >> 31)

    places = [0x9E3779B97F4A7C15 * place & mask for place in (1, 2, 3)]
    ids = (0, 1, 2)
    key = sum(mix((i + 1) * place & mask) for i, place in zip(ids, places, strict=True)) & mask
    expected = [(mix(key + place & mask) >> 40) / 2**23 - 1 for place in places]
    heat = explain(TinyNetwork(), "random").heatmaps[0].heat[0]
    np.testing.assert_allclose(heat, [0, *expected[1:]], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("gradcan", "gradcam, kernel_gradcam"),
        ("gradcam@conv9", "conv1, conv2"),
        ("gradcam:probability", "logit"),
        ("occlusion@conv1", "leave @conv1 out"),
        ("gradcam@", "gradcam, kernel_gradcam"),
        ("gradcam@" + "x" * 40, "32"),
    ],
)
def test_a_wrong_name_is_told_what_to_do(name, part):
    with pytest.raises(SettingsError, match=part):
        Explainer(TinyNetwork(), choose([name]))


def test_repeats_are_left_out():
    assert [method.key for method in choose(["gradcam", "random", "gradcam"])] == [
        "gradcam",
        "random",
    ]


def test_compiling_leaves_nothing_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """TensorFlow's autograph writes a file for every function that it converts."""

    class OfItsOwn(TinyNetwork):
        def embed(self, inputs: Inputs) -> Tensor:  # a function that nothing has converted yet
            return TinyNetwork.embed(self, inputs)

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    network = OfItsOwn()
    [heatmap] = Explainer(network, choose(["gradcam"])).explain(PAD_A_B).heatmaps
    heat_pass(network, *choose(["gradcam"]))
    np.testing.assert_allclose(heatmap.heat[0], BY_HAND["gradcam"], rtol=1e-5)
    assert list(tmp_path.iterdir()) == []
