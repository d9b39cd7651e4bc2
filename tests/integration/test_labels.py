"""Labels that come after the scores: imported, measured in SQL, erased with their review."""

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select, text
from typer.testing import CliRunner

from iyu.console.analysis.label_figures import label_figures
from iyu.console.main import app
from iyu.console.trust.labelled_texts import read_labelled_texts
from iyu.schemas.contract.message import Chunk, new_id, read_purpose, rescore_queue
from iyu.schemas.contract.review import Review
from iyu.schemas.erasure import forget_all
from iyu.schemas.sql.engine import reading
from iyu.schemas.sql.tables import labels
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.settings import WorkerSettings
from iyu.worker.training.data import read_labelled
from iyu.worker.training.metrics import measure
from tests.harness.fakes import FakeScorer

#: A Sunday: the reviews after the first forty are of the next week.
SUNDAY = datetime(2026, 11, 8, 12, tzinfo=UTC)
TEXTS = {f"r{n}": f"글 {n}" for n in range(60)}
#: Some are equal, as scores of a real model are.
BY_TEXT: dict[str, float | Exception] = {
    text: round(0.05 + 0.9 * abs(math.sin(n * n)), 1) for n, text in enumerate(TEXTS.values())
}
LABELS = {key: int((n * 7) % 10 < 5) for n, key in enumerate(TEXTS)}


@pytest.fixture
def scored(engine: Engine) -> Engine:
    score(engine, dict(list(TEXTS.items())[:40]), SUNDAY)
    score(engine, dict(list(TEXTS.items())[40:]), SUNDAY + timedelta(days=1))
    return engine


def score(
    engine: Engine, texts: dict[str, str], moment: datetime, version: str = "v1", **how: Any
) -> None:
    reviews = tuple(Review(key, text) for key, text in texts.items())
    chunk = Chunk(new_id(), "shop", reviews, moment, **how)
    scorer = FakeScorer(version, by_text=BY_TEXT if version == "v1" else {})
    score_chunk(Runtime(WorkerSettings(), engine, scorer, None), chunk, ())  # type: ignore[arg-type]


@pytest.fixture
def iyu(scored: Engine, monkeypatch: pytest.MonkeyPatch) -> Any:
    address = scored.url.render_as_string(hide_password=False)
    monkeypatch.setenv("IYU_DATABASE_URL", address)
    return lambda *arguments: CliRunner().invoke(app, [*arguments])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    rows = [f"shop,{key},{label}" for key, label in LABELS.items()]
    path.write_text("\n".join(["source,review_id,label", *rows, "shop,nobody,1", "app,r1,0"]))
    return path


def stored(engine: Engine) -> dict[str, int]:
    with reading(engine) as connection:
        return {row.review_id: row.label for row in connection.execute(select(labels))}


def test_labels_of_stored_reviews_are_kept_and_others_counted(iyu, file: Path, scored: Engine):
    for _ in range(2):
        assert json.loads(iyu("labels", "import", str(file), "--json").stdout) == {
            "stored": 60,
            "unknown": 2,
        }
        assert stored(scored) == LABELS
    file.write_text("review_id,label\nr1,1\nr1,0\nr2,1\n")
    assert "2 labels are stored" in iyu("labels", "import", str(file), "--source", "shop").stdout
    assert stored(scored) == LABELS | {"r1": 0, "r2": 1}


def test_the_view_has_the_figures_of_each_week(iyu, file: Path, scored: Engine):
    iyu("labels", "import", str(file))
    with reading(scored) as connection:
        query = "SELECT * FROM model_quality ORDER BY week"
        rows = [dict(row) for row in connection.execute(text(query)).mappings()]
    assert [str(row["week"]) for row in rows] == ["2026-11-02", "2026-11-09"]
    for row, keys in zip(rows, (list(TEXTS)[:40], list(TEXTS)[40:]), strict=True):
        given = np.array([LABELS[key] for key in keys], np.int8)
        said = np.array([BY_TEXT[TEXTS[key]] for key in keys], np.float32)
        expected = measure(given, said)
        assert row["reviews"] == len(keys)
        assert float(row["auc"]) == pytest.approx(expected.auc)
        assert float(row["accuracy"]) == pytest.approx(expected.accuracy)
        assert float(row["calibration_gap"]) == pytest.approx(float(said.mean() - given.mean()))


def test_the_figures_are_those_of_the_library():
    draw = np.random.default_rng(0)
    given = draw.integers(0, 2, 500).astype(np.int8)
    said = draw.random(500).round(2)
    assert label_figures(given, said) == pytest.approx(
        measure(given, said.astype(np.float32)).to_dict(), abs=2e-6
    )
    assert label_figures(np.ones(3, np.int8), said[:3])["auc"] is None


def test_a_week_of_one_class_has_no_auc(iyu, tmp_path: Path, scored: Engine):
    path = tmp_path / "one.csv"
    path.write_text("review_id,label\nr1,1\nr2,1\n")
    iyu("labels", "import", str(path), "--source", "shop")
    found = json.loads(iyu("labels", "quality", "--json").stdout)
    assert [(week["reviews"], week["auc"]) for week in found["weeks"]] == [(2, None)]
    assert found["models"][0]["auc"] is None
    assert "in all" in iyu("labels", "quality").stdout


def test_a_label_counts_for_the_text_it_was_given_to(iyu, file: Path, scored: Engine):
    iyu("labels", "import", str(file))
    score(scored, {"r1": "다시 쓴 글"}, SUNDAY + timedelta(days=2))
    found = json.loads(iyu("labels", "quality", "--json").stdout)
    assert found["models"][0]["reviews"] == 59


def test_a_forgotten_review_has_no_label_and_gets_none(iyu, file: Path, scored: Engine):
    iyu("labels", "import", str(file))
    forget_all(scored, "shop", ["r1", "r2"])
    assert stored(scored).keys() == LABELS.keys() - {"r1", "r2"}
    assert json.loads(iyu("labels", "import", str(file), "--json").stdout)["unknown"] == 4
    assert iyu("forget", "shop", "r1", "--verify").exit_code == 0


def test_models_are_compared_on_stored_labels(iyu, file: Path, scored: Engine):
    purpose = read_purpose(rescore_queue("v2"))
    score(scored, TEXTS, SUNDAY, "v2", purpose=purpose)
    assert json.loads(iyu("models", "compare", "v1", "v2", "--json").stdout)["metrics"] is None
    iyu("labels", "import", str(file))
    metrics = json.loads(iyu("models", "compare", "v1", "v2", "--json").stdout)["metrics"]
    assert metrics["reviews"] == 60
    share = sum(LABELS.values()) / 60
    assert metrics["b"]["accuracy"] == pytest.approx(share), "v2 says positive of all"
    assert "stored labels: 60 reviews" in iyu("models", "compare", "v1", "v2").stdout


def test_training_learns_from_them_and_not_from_what_it_is_measured_on(
    iyu, file: Path, scored: Engine, tmp_path: Path
):
    iyu("labels", "import", str(file))
    with reading(scored) as connection:
        found = read_labelled_texts(connection)
    assert dict(zip(found.ids, found.labels.tolist(), strict=True)) == {
        f"shop/{key}": label for key, label in LABELS.items()
    }
    path = tmp_path / "train.tsv"
    rows = [f"{n}\t{'글 3' if n == 19 else f'다른 글 {n}'}\t{n % 2}" for n in range(20)]
    path.write_text("id\tdocument\tlabel\n" + "\n".join(rows))
    whole = read_labelled(path).trained_on_also(found, ["글 5"])
    assert whole.held_out == 18 + 58
    assert set(whole.texts[: whole.held_out]).isdisjoint({"글 3", "글 5"})
    assert whole.texts[whole.held_out :] == ["다른 글 18", "글 3"]
    assert len(whole.ids) == len(whole.labels) == len(whole.texts)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("review_id,label\nr1,1\n", "no column 'source'"),
        ("source,review_id,label\nshop,r1,gut\n", "'gut' in row 1 is neither 0 nor 1"),
        ("source,review_id,label\n,r1,1\n", "row 1 has no source"),
        ("source,review_id,label\nshop,,1\n", "id in row 1"),
        ("source,review_id,label\nshop,r1,1,7\n", "line 2 cannot be read"),
        ("", "is empty"),
    ],
)
def test_a_broken_file_is_one_line_and_stores_nothing(
    iyu, scored: Engine, tmp_path: Path, content: str, named: str
):
    path = tmp_path / "broken.csv"
    path.write_text(content)
    done = iyu("labels", "import", str(path))
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert named in done.stderr
    assert stored(scored) == {}
