"""The model that ships, explained: what docs/explanations.md promises of it."""

from pathlib import Path

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.worker.scoring import Explanation, Prediction, Scorer

REVIEW = "로코 굉장히 즐겨보는데, 이 영화는 좀 별로였다. 뭔가 사랑도 개그도 억지스런 느낌.."
TEXTS = [
    REVIEW,
    "정말 재미있게 봤어요. 배우들 연기도 최고!",
    "돈이 아깝다... 시간 낭비였음 ㅠㅠ",
    "그냥 그랬다",
    "초반은 지루한데 뒤로 갈수록 감동적이고 여운이 남는 영화",
    "음악은 좋은데 이야기가 너무 뻔하다",
    "최악",
    "ㅋㅋㅋㅋㅋ 웃기다",
]


@pytest.fixture(scope="module")
def predictions() -> list[Prediction]:
    methods = ("gradcam", "kernel_gradcam", "integrated_gradients")
    return Scorer.load("source", methods).score(TEXTS)


def heat_of(explanation: Explanation) -> dict[str, float]:
    return {token["surface"]: token["heat"] for token in explanation.tokens}


def test_the_romance_that_was_not_liked(predictions: list[Prediction]):
    """뭔가, 개그, 억지 pull down, 사랑 pulls up, by Grad-CAM: the order the source reports."""
    prediction = predictions[0]
    heat = heat_of(prediction.explanations[0])
    assert prediction.label == 0
    assert max(heat["뭔가"], heat["개그"], heat["억지"]) < 0 < heat["사랑"]


def test_every_token_stands_where_it_says(predictions: list[Prediction]):
    for text, prediction in zip(TEXTS, predictions, strict=True):
        for explanation in prediction.explanations:
            for token in explanation.tokens:
                assert text[token["start"] : token["end"]] == token["surface"]


def test_integrated_gradients_keep_their_promise(predictions: list[Prediction]):
    """Σ heat is Δz but for the gap that is stored; the gap is below 1 % of Δz."""
    nothing = np.array(
        [
            p.logit - sum(t["heat"] for t in e.tokens if t["heat"]) + e.completeness_gap
            for p in predictions
            for e in p.explanations
            if e.completeness_gap is not None
        ]
    )
    assert len(nothing) == len(TEXTS)
    assert np.ptp(nothing) < 1e-3  # z(padding alone), the same for every review
    for prediction, z in zip(predictions, nothing, strict=True):
        gap = prediction.explanations[2].completeness_gap
        assert gap is not None
        assert abs(gap) < 0.01 * abs(prediction.logit - z)


def test_evaluate_explanations_prints_and_saves_its_table(tmp_path: Path):
    data = tmp_path / "reviews.jsonl"
    rows = [orjson.dumps({"id": str(i), "text": text}) for i, text in enumerate(TEXTS)]
    data.write_bytes(b"\n".join(rows))
    command = ["evaluate-explanations", str(data), "--methods", "gradcam,random"]
    out = tmp_path / "table.md"
    result = CliRunner().invoke(app, [*command, "--model", "source", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "gradcam" in result.stdout
    assert out.read_text().count("| `") == 2
    result = CliRunner().invoke(app, [*command, "--model", "source", "--json"])
    report = orjson.loads(result.stdout)
    gradcam, control = report["methods"]
    assert report["reviews"] == len(TEXTS)
    assert gradcam["comprehensiveness"][0] > control["comprehensiveness"][0]
    assert control["random_weights"][0] == pytest.approx(1)
