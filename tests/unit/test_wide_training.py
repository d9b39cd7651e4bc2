"""The recipe of the preset `wide`, from reviews to an artifact, in seconds."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from iyu.schemas.contract.errors import ArtifactError
from iyu.worker.model import artifact
from iyu.worker.model.encoding import Encoder
from iyu.worker.scoring import Scorer
from iyu.worker.text.vocabulary import Vocabulary
from iyu.worker.training.data import read_labelled, read_unlabelled
from iyu.worker.training.evaluation import probabilities
from iyu.worker.training.wide.corpus import Corpus, Cut, cut_texts
from iyu.worker.training.wide.deep import Shape
from iyu.worker.training.wide.export import calibrate
from iyu.worker.training.wide.fit import Fit
from iyu.worker.training.wide.language import Language
from iyu.worker.training.wide.linear import Linear
from iyu.worker.training.wide.recipe import train
from iyu.worker.training.wide.recurrent import Reading
from iyu.worker.training.wide.settings import Composed, Settings, Task
from iyu.worker.training.wide.stages import Stages

GOOD, BAD = "정말 재미있고 감동적인 영화", "지루하고 시간이 아까운 영화"
TINY = Settings(
    length=16,
    words=200,
    buckets=1 << 12,
    linear=Linear(epochs=2, batch=32),
    language=Language(features=8, units=8, epochs=1, batch=32, others=16),
    reading=Reading(hidden=8),
    readers=2,
    teaching=Fit(epochs=1, batch=32),
    student=Shape(8, 8, (1, 2, 3), 8),
    studying=Fit(epochs=2, batch=32),
    composing=Fit(epochs=1, batch=32),
    composed=Composed(sentences=100, texts=50, marked=50, marking_steps=20),
)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    folder = tmp_path_factory.mktemp("wide")
    rows = [f"{i}\t{GOOD if i % 2 else BAD} {i}\t{i % 2}" for i in range(400)]
    (folder / "reviews.tsv").write_text("id\tdocument\tlabel\n" + "\n".join(rows))
    more = [f"{i}\t{text}\t" for i, text in enumerate([f"{GOOD}!!", f"{BAD}ㅠㅠ", ""] * 50)]
    (folder / "more.tsv").write_text("id\tdocument\trating\n" + "\n".join(more))
    texts = read_unlabelled(folder / "more.tsv")
    assert len(texts) == 100  # an empty text is no text
    data = read_labelled(folder / "reviews.tsv")
    return Task(data, texts, "more.tsv", folder / "model", seed=1, settings=TINY)


@pytest.fixture(scope="module")
def lines(task: Task) -> list[str]:
    said: list[str] = []
    train(task, said.append)
    return said


@pytest.fixture
def trained(task: Task, lines: list[str]) -> Path:
    assert lines
    return task.out


def test_training_leaves_an_artifact_with_its_curves_and_its_card(trained: Path, lines: list[str]):
    assert {p.name for p in trained.iterdir()} == {
        "model.keras", "tables.npz", "vocabulary.json", "manifest.json",
        "loss.png", "roc.png", "calibration.png", "card.md",
    }  # fmt: skip
    assert any("student" in line and "min" in line for line in lines)
    manifest = artifact.read_manifest(trained)
    assert manifest["metrics"]["validation"]["reviews"] == 40
    assert manifest["training"]["log"][-1].startswith("calibration")
    assert manifest["training"]["seconds"].keys() >= {
        "n-grams",
        "language model",
        "reader 2",
        "student",
        "composition",
    }


def test_it_tells_good_from_bad(trained: Path):
    good, bad = Scorer.load(str(trained)).score([GOOD, BAD])
    assert good.probability > 0.5 > bad.probability


def test_the_card_says_what_a_reader_asks(trained: Path):
    card = (trained / "card.md").read_text()
    for said in (
        "reviews.tsv",
        "AUC",
        "95 %",
        "calibration error",
        "weaknesses",
        "Seconds",
        "정말",
    ):
        assert said in card, said


def test_training_and_scoring_agree(task: Task, trained: Path):
    texts = [GOOD, BAD, "처음 보는 글 😀", "가" * 300]
    alone = probabilities(artifact.load(str(trained)), texts)
    scored = [p.probability for p in Scorer.load(str(trained)).score(texts)]
    np.testing.assert_allclose(alone, scored, atol=1e-6)


def test_every_token_is_where_the_explanation_says(trained: Path):
    texts = [GOOD, "ㅋㅋㅋㅋㅋㅋ 최고!!!", f"{BAD} " * 20]
    for text, prediction in zip(texts, Scorer.load(str(trained)).score(texts), strict=True):
        for token in prediction.explanations[0].tokens:
            assert text[token["start"] : token["end"]] == token["surface"]
        assert prediction.explanations[0].pad_heat == 0
    assert prediction.truncated


def test_a_folder_named_like_a_shipped_model_is_itself(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copytree(trained, tmp_path / "wide")
    monkeypatch.chdir(tmp_path)
    here = artifact.read_manifest(artifact.locate(Path("wide")))
    shipped = artifact.read_manifest(artifact.locate("wide"))
    assert here["model_version"] != shipped["model_version"]


class _Interrupted(Exception):
    pass


def test_an_interrupted_training_goes_on_and_ends_alike(task: Task, trained: Path, tmp_path: Path):
    again, said = replace(task, out=tmp_path / "again"), list[str]()

    def until_the_student(line: str) -> None:
        if line.startswith("student"):
            raise _Interrupted
        said.append(line)

    with pytest.raises(_Interrupted):
        train(again, until_the_student)
    said.clear()
    train(again, said.append)
    assert "reader 1: done before" in said
    # The same seed, the same student: threads alone may change the last digits.
    texts = [GOOD, BAD, "처음 보는 글"]
    one, other = (probabilities(artifact.load(str(f)), texts) for f in (trained, again.out))
    np.testing.assert_allclose(one, other, atol=2e-3)


def test_another_training_does_not_go_on_from_it(task: Task, tmp_path: Path):
    stage = {"z": np.arange(3)}
    for seed, computed in ((1, 1), (1, 0), (2, 1)):
        calls: list[int] = []
        other = replace(task, out=tmp_path, seed=seed)
        stages = Stages(tmp_path, other.fingerprint, lambda _: None)
        found = stages.run("cut", lambda _, calls=calls: calls.append(1) or stage)
        assert found["z"].tolist() == [0, 1, 2]
        assert len(calls) == computed


@pytest.mark.parametrize("name", ["tables.npz", "model.keras"])
def test_a_changed_file_is_refused(trained: Path, tmp_path: Path, name: str):
    folder = tmp_path / "changed"
    shutil.copytree(trained, folder)
    (folder / name).write_bytes((folder / name).read_bytes()[:-7])
    with pytest.raises(ArtifactError, match="does not match"):
        artifact.load(str(folder))


def test_an_artifact_without_its_tables_is_refused(trained: Path, tmp_path: Path):
    folder = tmp_path / "without"
    shutil.copytree(trained, folder)
    (folder / "tables.npz").unlink()
    with pytest.raises(ArtifactError, match="does not match"):
        artifact.load(str(folder))


def test_calibration_undoes_a_temperature_and_a_shift():
    draw = np.random.default_rng(1)
    z = draw.normal(0, 2, 20_000)
    labels = (draw.random(20_000) < 1 / (1 + np.exp(-z))).astype(np.int8)
    factor, constant = calibrate(labels, ((z + 0.3) / 1.7).astype(np.float32))
    assert factor == pytest.approx(1.7, rel=0.05)
    assert constant == pytest.approx(-0.3, abs=0.06)


def test_training_reads_what_the_encoder_reads(trained: Path):
    """The flat arrays of training and the inputs of scoring hold the same n-grams and rows."""
    loaded = artifact.load(str(trained))
    texts = [GOOD, "ㅋㅋㅋㅋ 최고!!", f"{BAD} " * 8]
    buckets = len(loaded.tables["grams"])
    cut = Cut.read(cut_texts(texts, TINY.length, buckets).arrays())
    corpus = Corpus([cut], loaded.vocabulary, buckets)
    for i in range(len(texts)):
        ids, _ = corpus.grams(np.array([i]))
        inputs = _encoded(loaded.encoder, texts[i])
        assert inputs["gram_count"].sum() == len(ids)
        total = loaded.tables["grams"].astype(float)[ids].sum()
        assert inputs["gram_weight"].sum() == pytest.approx(total, abs=1e-3)
        rows = corpus.rows(np.array([i]))[0, : int(corpus.counts[i])]
        there = inputs["ids"][0] > 0
        np.testing.assert_array_equal(inputs["ids"][0][there], rows[:, 0])
        np.testing.assert_array_equal(inputs["pieces"][0][there], rows[:, 1:])


def test_the_vocabulary_of_a_training_is_folded(trained: Path):
    surfaces = Vocabulary.from_json((trained / "vocabulary.json").read_bytes()).surfaces
    assert "영화" in surfaces
    assert "" not in surfaces


def _encoded(encoder: Encoder, text: str) -> dict[str, np.ndarray]:
    from iyu.worker.text.morphemes import Analyzer

    return encoder.encode(Analyzer().analyze([text])).inputs
