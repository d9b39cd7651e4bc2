"""The source's network, its training, and the artifact around it."""

import shutil
from pathlib import Path

import numpy as np
import orjson
import pytest

from iyu.schemas.contract.errors import ArtifactError, SettingsError
from iyu.worker.model import artifact
from iyu.worker.model.source import SourceNetwork, build
from iyu.worker.scoring import Scorer
from iyu.worker.training.data import read_labelled
from iyu.worker.training.evaluation import probabilities
from iyu.worker.training.recipes import Run, recipe

GOOD, BAD = "정말 재미있고 감동적인 영화", "지루하고 시간이 아까운 영화"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    data = folder / "reviews.tsv"
    rows = [f"{i}\t{GOOD if i % 2 else BAD} {i}\t{i % 2}" for i in range(400)]
    data.write_text("id\tdocument\tlabel\n" + "\n".join(rows))
    recipe("source")(Run(read_labelled(data), folder / "model", epochs=2), lambda _: None)
    return folder / "model"


def test_it_has_the_parameters_that_the_source_counts():
    assert build(5_002, 19).count_params() == 258_597


def test_split_for_explaining_it_is_still_the_same_model():
    import tensorflow as tf

    model = build(50, 8)
    network = SourceNetwork(model)
    inputs = {"ids": tf.constant(np.random.default_rng(1).integers(0, 50, (5, 8)), tf.int32)}
    z = network.logit(network.convolve(network.embed(inputs)), inputs)
    np.testing.assert_allclose(tf.sigmoid(z), model(inputs["ids"])[:, 0], atol=1e-6)


def test_dropping_tokens_closes_the_row_up():
    import tensorflow as tf

    network = SourceNetwork(build(50, 6))
    ids = tf.constant([[0, 0, 5, 6, 7, 8]], tf.int32)
    kept = tf.constant([[True, True, True, False, True, False]])
    assert network.keep({"ids": ids}, kept)["ids"].numpy().tolist() == [[0, 0, 0, 0, 5, 7]]


def test_training_leaves_an_artifact_with_its_curves_that_tells_good_from_bad(trained: Path):
    assert {p.name for p in trained.iterdir()} == {
        "model.keras", "vocabulary.json", "manifest.json", "loss.png", "roc.png",
    }  # fmt: skip
    good, bad = Scorer.load(str(trained)).score([GOOD, BAD])
    assert good.probability > bad.probability


def test_evaluation_and_scoring_agree(trained: Path):
    texts = [GOOD, BAD, "처음 보는 글 😀", "가" * 300]
    alone = probabilities(artifact.load(str(trained)), texts)
    scored = [p.probability for p in Scorer.load(str(trained)).score(texts)]
    np.testing.assert_allclose(alone, scored, atol=1e-6)


def test_a_shipped_artifact_is_found_by_its_name_and_was_measured():
    manifest = artifact.read_manifest(artifact.locate("source"))
    assert manifest["metrics"]["test"]["auc"] >= 0.925


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", 99, "format 99"),
        ("tokenizer", {"name": "okt"}, "trained on"),
        ("sequence_length", 5, "not those its manifest"),
        ("preset", "nonsense", "not those its manifest"),
    ],
)
def test_an_artifact_that_does_not_match_is_refused(
    trained: Path, tmp_path: Path, key: str, value: object, message: str
):
    folder = tmp_path / "changed"
    shutil.copytree(trained, folder)
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_bytes(orjson.dumps(manifest | {key: value}))
    with pytest.raises(ArtifactError, match=message):
        artifact.load(str(folder))


@pytest.mark.parametrize("name", ["model.keras", "vocabulary.json", "manifest.json"])
def test_a_cut_file_is_refused(trained: Path, tmp_path: Path, name: str):
    folder = tmp_path / "cut"
    shutil.copytree(trained, folder)
    (folder / name).write_bytes((folder / name).read_bytes()[:100])
    with pytest.raises(ArtifactError, match="does not match"):
        artifact.load(str(folder))


def test_a_missing_artifact_names_those_there_are():
    with pytest.raises(ArtifactError, match="source"):
        artifact.locate("nowhere")


def test_an_unknown_preset_or_method_is_told_before_anything_loads(trained: Path):
    with pytest.raises(SettingsError, match="source"):
        recipe("nonsense")
    with pytest.raises(SettingsError, match="gradcam"):
        Scorer.load(str(trained), ["nonsense"])


def test_scores_alone_are_the_same_scores(trained: Path):
    explained = Scorer.load(str(trained)).score([GOOD, BAD])
    alone = Scorer.load(str(trained), ()).score([GOOD, BAD])
    assert [p.explanations for p in alone] == [(), ()]
    np.testing.assert_allclose(
        [p.probability for p in alone], [p.probability for p in explained], atol=1e-6
    )
