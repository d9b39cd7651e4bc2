"""`iyu words --unknown`: what reviews hold and the vocabulary does not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.console.trust.unknown_words import trend_of
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.model.artifact import locate, read_manifest
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import FakeScorer

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
#: What reviews of each week say; 영화 is in the vocabulary.
WEEKS = (["영화"] * 10, ["킹받네 영화"] * 2 + ["영화"] * 8, ["킹받네 영화"] * 6 + ["영화"] * 4)


@pytest.fixture
def iyu(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Any:
    version = str(read_manifest(locate("source"))["model_version"])
    runtime = Runtime(WorkerSettings(), engine, FakeScorer(version), None)  # type: ignore[arg-type]
    for week, texts in enumerate(WEEKS):
        reviews = tuple(Review(f"w{week}-{n}", f"{text} ㅋ{n}") for n, text in enumerate(texts))
        moment = NOON + timedelta(days=7 * week)
        score_chunk(runtime, Chunk(new_id(), "shop", reviews, moment), ())
    add_all_deltas(engine)
    address = engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("IYU_DATABASE_URL", address)
    return lambda *arguments: CliRunner().invoke(app, ["words", *arguments])


def test_a_word_that_is_unknown_and_grows_is_named_with_examples(iyu):
    found = json.loads(iyu("--unknown", "--weeks", "2", "--json").stdout)
    [word] = found["words"]
    assert (word["surface"], word["reviews"], word["weeks"]) == ("킹받네", 8, [2, 6])
    assert word["trend"] == pytest.approx(3)
    assert [review["review_id"] for review in word["examples"]] == ["w2-0", "w2-1", "w2-2"]


def test_it_is_shown_to_people(iyu):
    printed = iyu("--unknown", "--weeks", "4").stdout
    assert "킹받네/NNG: 8 reviews, new (0 0 2 6)" in printed
    assert "shop/w2-0: 킹받네 영화" in printed
    assert "no word" in iyu("--unknown", "--min-reviews", "9").stdout


def test_a_word_that_was_not_there_before_has_no_ratio():
    assert trend_of([0, 0, 1, 2], [10, 10, 10, 10]) is None
    assert trend_of([1, 0, 1, 2], [10, 10, 10, 20]) == pytest.approx((3 / 30) / (1 / 20))


def test_without_a_choice_or_an_artifact_it_says_what_to_do(iyu, engine: Engine):
    assert iyu().exit_code == 2
    runtime = Runtime(WorkerSettings(), engine, FakeScorer("other"), None)  # type: ignore[arg-type]
    score_chunk(runtime, Chunk(new_id(), "shop", (Review("x", "글"),), NOON), ())
    done = iyu("--unknown")
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert "--artifact DIR" in done.stderr
