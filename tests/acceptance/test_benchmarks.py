"""Each benchmark runs on a small amount, and its figures are of the right kind."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from benchmarks._parts import BELOW, MECAB, STEPS
from benchmarks.profile import CHILDREN, PARENT, PRODUCER, REDIS
from tests.harness.services import ROOT, child_environment

pytestmark = pytest.mark.acceptance

#: Enough for several chunks of every source.
REVIEWS = 2_000
REDIS_BYTES_A_REVIEW = 250
EVERYDAY = {"tokens of one review", "latest 50", "words of a week", "counts by day of everything"}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    what = ("재미있고 배우 연기도 좋았다", "지루하고 배우 연기도 별로 최악이다")
    lines = [f"{i},영화가 {i}번 봐도 {what[i % 2]}" for i in range(500)]
    path.write_text("\n".join(["id,text", *lines]), encoding="utf-8")
    return path


def measure(name: str, tmp_path: Path, *options: str) -> Any:
    """Run a benchmark; return what it wrote as JSON."""
    written = tmp_path / f"{name}.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(written)]
    # Small chunks: a tenth is one chunk at least.
    environment = child_environment(IYU_CHUNK_SIZE="50", TMPDIR=str(tmp_path))
    done = subprocess.run(
        [*command, *options], cwd=ROOT, env=environment, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert not list(tmp_path.glob("iyu-benchmark-*")), "it left its files behind"
    return json.loads(written.read_text())


def test_scale(texts: Path, tmp_path: Path):
    options = ("--reviews", str(REVIEWS), "--questions", "3", "--databases", "sqlite")
    found = measure("scale", tmp_path, str(texts), *options)["sqlite"]
    assert len(found["tenths_reviews_per_second"]) == 10
    assert all(rate > 0 for rate in found["tenths_reviews_per_second"])
    assert found["last_to_first"] > 0
    assert 0 < found["redis_bytes_a_review"] <= REDIS_BYTES_A_REVIEW
    assert found["database_bytes_a_review"] > 0
    assert set(found["questions_ms"]) >= EVERYDAY
    for name, answer in found["questions_ms"].items():
        assert 0 < answer["p50"] <= answer["p95"], name
    assert found["questions_ms"]["latest 50"]["rows"] == 50
    assert found["questions_ms"]["words of a week"]["rows"] > 0
    for who in ("parent", "child"):
        assert all(memory["rss"] > 0 for memory in found["memory_mib"]["last"][who])


def test_startup(tmp_path: Path):
    found = measure("startup", tmp_path, "--runs", "1", "--processes", "1", "--models", "source")
    seconds = found["source"]["seconds"]
    beside = {"first row", "broker connected", "iyu up"}
    stages = {name: value for name, value in seconds.items() if name not in beside}
    assert stages
    assert all(value >= 0 for value in stages.values())
    # Every second until the row is in a stage, but for the look into the table.
    assert sum(stages.values()) == pytest.approx(seconds["first row"], rel=0.1)
    assert seconds["iyu up"] > seconds["broker connected"] > 0
    held = found["source"]["memory_mib"]
    assert held["child"]["rss"] > held["parent"]["rss"] > 0


def test_store(texts: Path, tmp_path: Path):
    options = ("--reviews", "200", "--runs", "1", "--databases", "sqlite", "--model", "source")
    found = measure("store", tmp_path, str(texts), *options)["runs"]
    assert set(found) == {"sqlite, 1 writers", "sqlite, 2 writers"}
    for runs in found.values():
        assert all(run["reviews_per_second"] > 0 for run in runs)


def test_scrape(tmp_path: Path):
    options = ("--reviews", "5120", "--live", "20", "--pending", "20", "--runs", "2")
    found = measure("scrape", tmp_path, *options, "--databases", "sqlite")["milliseconds"]
    assert 0 < found["sqlite"]["median"] <= found["sqlite"]["worst"]


def test_profile(texts: Path, tmp_path: Path):
    found = measure("profile", tmp_path, str(texts), "--reviews", "2000", "--model", "source")
    way, turns = found["way"], found["parts"]
    assert way["reviews_per_second"] > 0
    for process in (PRODUCER, PARENT, CHILDREN, REDIS):
        assert way[process] >= 0
    assert len(turns) >= 3
    for turn in turns:
        assert set(turn) == {*STEPS, *BELOW.values()}
        # A share of a step is not above it, but for what else the machine does.
        assert turn[MECAB] < 1.5 * turn["cutting"]
    # The children do the same, and Celery's work beside it.
    known = sum(median(turn[step] for turn in turns) for step in STEPS)
    assert 0 < known < 1.5 * way[CHILDREN]


def test_feed(texts: Path, tmp_path: Path):
    options = ("--reviews", "1200", "--chunks", "50", "--databases", "sqlite")
    found = measure("feed", tmp_path, str(texts), *options)["found"]["sqlite, 50 a chunk"]
    assert found["without_us"] > 0
    assert 0 < found["bytes"] < 200  # a page more or less counts at so few reviews


def test_export(texts: Path, tmp_path: Path):
    options = ("--reviews", "10000,20000", "--databases", "sqlite")
    small, large = measure("export", tmp_path, str(texts), *options)["found"]["sqlite"]
    assert (small["rows"], large["rows"]) == (10_000, 20_000)
    assert small["read_back"] == large["read_back"] == "equal"
    assert 0 < large["peak_mib"] < 1.2 * small["peak_mib"]
