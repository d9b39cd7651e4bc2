"""An export holds every row, is whole or not there, and opens in a spreadsheet."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.console.operations.export_rows import Chosen, What, export_rows
from iyu.schemas.contract.errors import InputError
from iyu.schemas.sql.engine import connected, reading, upgrade, writing
from iyu.schemas.sql.rare_words import hide_rare_words
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import FakeScorer
from tests.harness.services import child_environment
from tests.integration.test_store import chunk

TEXTS = {
    "1": "배송 빠르다 최고",
    "2": "=HYPERLINK(1) 별로",
    "3": "+82 별로 -",
    "4": "-5점 배송",
    "5": '@나 "따옴표", 쉼표',
    "6": "줄\n바꿈",
}
RISKY = {"2", "3", "4", "5"}


@pytest.fixture
def filled(engine: Engine) -> Engine:
    runtime = Runtime(WorkerSettings(), engine, FakeScorer("v1"), None)  # type: ignore[arg-type]
    score_chunk(runtime, chunk(TEXTS), [])
    add_all_deltas(engine)
    with writing(engine) as connection:
        hide_rare_words(connection, 1)  # each word stands in one review here
    return engine


def read_csv(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def query(engine: Engine, statement: str) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(text(statement)))


def test_each_format_reads_back_the_same(filled: Engine, tmp_path: Path):
    files = {ending: tmp_path / f"out.{ending}" for ending in ("csv", "jsonl", "parquet")}
    for path in files.values():
        assert export_rows(filled, path, Chosen()) == len(TEXTS)
    rows = {row["review_id"]: row for row in read_csv(files["csv"])}
    lines = {x["review_id"]: x for x in map(json.loads, files["jsonl"].read_bytes().splitlines())}
    table = {row["review_id"]: row for row in pq.read_table(files["parquet"]).to_pylist()}
    for found in (rows, lines, table):
        assert {key: row["text"] for key, row in found.items()} == TEXTS
        assert {(row["model_version"], row["method"]) for row in found.values()} == {
            ("v1", "gradcam")
        }
    assert {float(rows[key]["probability"]) for key in TEXTS} == {0.75}
    assert {lines[key]["probability"] for key in TEXTS} == {0.75}
    assert {table[key]["probability"] for key in TEXTS} == {0.75}
    assert (
        {table[key]["submitted_at"].isoformat() for key in TEXTS}
        == {rows[key]["submitted_at"] for key in TEXTS}
        == {lines[key]["submitted_at"] for key in TEXTS}
    )


def test_tokens_and_words_are_those_of_the_views(filled: Engine, tmp_path: Path):
    tokens, words = tmp_path / "tokens.parquet", tmp_path / "words.csv"
    export_rows(filled, tokens, Chosen(What.TOKENS))
    export_rows(filled, words, Chosen(What.WORDS))
    stored = query(filled, 'SELECT review_id, position, surface, start, "end" FROM token_heat')
    found = pq.read_table(tokens).to_pylist()
    assert {(x["review_id"], x["position"], x["surface"], x["start"], x["end"]) for x in found} == {
        tuple(row) for row in stored
    }
    assert {x["model_version"] for x in found} == {"v1"}
    sums = query(filled, "SELECT surface, reviews, occurrences FROM keyword_importance")
    assert {(x["surface"], int(x["reviews"]), int(x["occurrences"])) for x in read_csv(words)} == {
        (row.surface, row.reviews, int(row.occurrences)) for row in sums
    }


def test_source_and_time_choose(filled: Engine, tmp_path: Path):
    path = tmp_path / "out.csv"
    moment = chunk({"1": "x"}).submitted_at
    assert export_rows(filled, path, Chosen(sources=("shop",))) == len(TEXTS)
    assert export_rows(filled, path, Chosen(sources=("other",))) == 0
    assert export_rows(filled, path, Chosen(since=moment)) == len(TEXTS)
    assert export_rows(filled, path, Chosen(until=moment)) == 0


def test_excel_opens_it_and_no_cell_is_a_formula(filled: Engine, tmp_path: Path):
    path = tmp_path / "out.csv"
    export_rows(filled, path, Chosen(), excel=True)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfsource,")
    rows = {row["review_id"]: row["text"] for row in read_csv(path, "utf-8-sig")}
    assert rows == {key: f"'{text}" if key in RISKY else text for key, text in TEXTS.items()}
    tokens = tmp_path / "tokens.csv"
    export_rows(filled, tokens, Chosen(What.TOKENS), excel=True)
    assert all(float(row["heat"]) == 0.25 for row in read_csv(tokens, "utf-8-sig"))


def test_an_export_that_breaks_off_leaves_the_old_file_and_no_other(filled: Engine, tmp_path: Path):
    path = tmp_path / "out.csv"
    path.write_text("old")

    def fail(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_rows(filled, path, Chosen(), on_progress=fail)
    assert path.read_text() == "old"
    assert list(tmp_path.glob("*.part")) == list(tmp_path.glob(".*.part")) == []


@pytest.mark.parametrize(
    ("name", "excel", "says"),
    [
        ("out.xlsx", False, "must end in"),
        ("out.jsonl", True, "--excel"),
        ("no/out.csv", False, "cannot be written"),
    ],
)
def test_a_file_that_cannot_be_is_one_clear_line(
    filled: Engine, tmp_path: Path, name: str, excel: bool, says: str
):
    with pytest.raises(InputError, match=says):
        export_rows(filled, tmp_path / name, Chosen(), excel=excel)


def test_the_command_says_how_many(filled: Engine, tmp_path: Path):
    database = filled.url.render_as_string(hide_password=False).replace("+psycopg", "")
    path = tmp_path / "out.csv"
    done = CliRunner().invoke(app, ["export", str(path), "--database", database])
    assert (done.exit_code, len(read_csv(path))) == (0, len(TEXTS)), done.output


PEAK = """
import re, sys
from pathlib import Path
from iyu.console.operations.export_rows import Chosen, export_rows
from iyu.schemas.sql.engine import connected
with connected(sys.argv[1]) as engine:
    rows = export_rows(engine, Path(sys.argv[2]), Chosen())
print(rows, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_memory_does_not_grow_with_the_rows(database_url: str, tmp_path: Path, ending: str):
    """Beyond SQLite's cache of 64 MB, which the first file fills."""
    peaks = []
    with connected(database_url) as engine:
        upgrade(engine)
        for count in (80_000, 160_000):
            fill(engine, count)
            done = subprocess.run(
                [sys.executable, "-c", PEAK, database_url, str(tmp_path / f"out.{ending}")],
                env=child_environment(), capture_output=True, text=True, check=True,
            )  # fmt: skip
            rows, kilobytes = map(int, done.stdout.split())
            assert rows == count
            peaks.append(kilobytes)
    assert peaks[1] < peaks[0] + 30_000  # the texts alone are 80 MB more


def fill(engine: Engine, count: int) -> None:
    """Make reviews with a score each, by SQL alone; those that are there stay."""
    numbers = {
        "sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})",
        "postgresql": "WITH n (i) AS (SELECT generate_series(1, {}))",
    }[engine.dialect.name].format(count)
    long = {"sqlite": "printf('%.*c', 1000, 'x')", "postgresql": "repeat('x', 1000)"}
    statements = (
        "INSERT INTO models (model_version, name, created_at, activated_at, manifest) VALUES "
        "('v1', 'v1', '2026-05-01 12:00:00', '2026-05-01 12:00:00', '{}') ON CONFLICT DO NOTHING",
        "INSERT INTO reviews (source, review_id, text, text_hash, submitted_at) "
        f"{numbers} SELECT 'shop', CAST(i AS TEXT), {long[engine.dialect.name]}, 'h', "
        "'2026-05-01 12:00:00' FROM n WHERE true ON CONFLICT DO NOTHING",
        "INSERT INTO predictions (source, review_id, model_version, probability, logit, label, "
        "token_count, unknown_count, truncated, text_hash, scored_at) "
        f"{numbers} SELECT 'shop', CAST(i AS TEXT), 'v1', 0.5, 0, 0, 1, 0, false, 'h', "
        "'2026-05-01 12:00:00' FROM n WHERE true ON CONFLICT DO NOTHING",
        "ANALYZE",
    )
    with writing(engine) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
