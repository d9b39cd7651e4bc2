"""A review counts on the day it was written, from its message to the sums and the exports."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Connection, Engine, select, text
from typer.testing import CliRunner

from iyu.console.analysis.stored_heat import HeatFilter, find
from iyu.console.main import app
from iyu.console.operations.forget_reviews import find_all_traces
from iyu.console.terminal.options import parse_utc_time
from iyu.console.web.queries.days import Period, newest_day
from iyu.console.web.queries.reviews import Search, find_reviews
from iyu.console.web.queries.words import _rank_words_of_tokens
from iyu.producer import Producer
from iyu.producer.rescore import Campaign, Selection
from iyu.schemas.contract.errors import RejectedReview
from iyu.schemas.contract.message import Chunk, Rescore, new_id
from iyu.schemas.contract.review import Reason, Rejection, Review
from iyu.schemas.contract.settings import Settings
from iyu.schemas.erasure import forget_all
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.replay import Choice, replay
from iyu.schemas.results import Cursor, read_results
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading, writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import FakeBroker, FakeScorer

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MAY, JUNE = datetime(2014, 5, 1, 3, tzinfo=UTC), datetime(2015, 6, 2, tzinfo=UTC)
FAILS = {"fails": ValueError("as the test wants")}
_ONE_A_REVIEW = "(SELECT DISTINCT review_id, written_at FROM {}) AS one_a_review"


@pytest.fixture
def runtime(engine: Engine) -> Runtime:
    scorer = FakeScorer("v1", by_text=FAILS)
    return Runtime(WorkerSettings.load(), engine, scorer, None)  # type: ignore[arg-type]


def chunk(*reviews: Review, at: datetime = NOON) -> Chunk:
    return Chunk(new_id(), "shop", reviews, at)


def score(runtime: Runtime, *reviews: Review, at: datetime = NOON) -> None:
    score_chunk(runtime, chunk(*reviews, at=at), [])


def written(engine: Engine) -> dict[str, datetime | None]:
    with reading(engine) as connection:
        r = tables.reviews.c
        return {row[0]: row[1] for row in connection.execute(select(r.review_id, r.written_at))}


def test_reviews_stand_under_the_time_of_each(runtime: Runtime):
    score(runtime, Review("1", "굳", MAY), Review("2", "음", JUNE), Review("3", "네"))
    score(runtime, Review("4", "하나", MAY), Review("5", "둘", MAY))
    times = {"1": MAY, "2": JUNE, "3": None, "4": MAY, "5": MAY}
    assert written(runtime.engine) == times
    with reading(runtime.engine) as connection:
        for view in ("review_scores", "results", "token_heat", "word_heat"):
            shown = view if view in {"review_scores", "results"} else _ONE_A_REVIEW.format(view)
            query = f"SELECT COUNT(DISTINCT written_at), COUNT(*) - COUNT(written_at) FROM {shown}"
            assert tuple(connection.execute(text(query)).one()) == (2, 1)


def test_of_a_time_after_the_submission_nothing_is_kept(runtime: Runtime):
    score(runtime, Review("1", "굳", NOON + timedelta(hours=1)), Review("2", "음", NOON))
    assert written(runtime.engine) == {"1": None, "2": NOON}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_latest_submission_of_a_text_says_when_it_was_written(
    runtime: Runtime, order: Sequence[int]
):
    times = [MAY, None, JUNE]
    for number in order:
        review = Review("1", "굳", times[number])
        score(runtime, review, at=NOON + timedelta(hours=number))
    assert written(runtime.engine) == {"1": JUNE}
    with reading(runtime.engine) as connection:
        assert connection.execute(select(tables.reviews.c.submitted_at)).scalar_one() <= NOON + (
            timedelta(hours=order[0])
        ), "the order of texts stays with the submission"


def test_a_newer_text_brings_its_own_time(runtime: Runtime):
    score(runtime, Review("1", "굳", MAY), Review("2", "음", MAY))
    later = NOON + timedelta(hours=1)
    score(runtime, Review("1", "별로", JUNE), Review("2", "글쎄"), at=later)
    score(runtime, Review("1", "굳", MAY), at=NOON - timedelta(hours=1))
    assert written(runtime.engine) == {"1": JUNE, "2": None}


def test_a_dead_letter_keeps_the_time_until_it_is_scored(runtime: Runtime):
    score(runtime, Review("1", "fails", MAY), Review("2", "굳", JUNE))
    with reading(runtime.engine) as connection:
        letter = connection.execute(select(tables.dead_letters)).one()
    assert letter.written_at == MAY
    with writing(runtime.engine) as connection:
        [again], _ = replay(connection, Choice())
    runtime.scorer = FakeScorer("v1")  # type: ignore[assignment]
    score_chunk(runtime, again, [])
    assert written(runtime.engine) == {"1": MAY, "2": JUNE}


def test_a_bad_time_is_a_dead_letter_of_its_review(runtime: Runtime):
    rejected = [(Rejection("2", Reason.BAD_TIME), ["2", "음", "어제"])]
    score_chunk(runtime, chunk(Review("1", "굳", MAY)), rejected)
    with reading(runtime.engine) as connection:
        letter = connection.execute(select(tables.dead_letters)).one()
    assert (letter.review_id, letter.reason) == ("2", "bad-time")
    assert "어제" in letter.raw
    assert written(runtime.engine) == {"1": MAY}


def test_the_ledger_and_the_parts_of_a_chunk_keep_the_times(runtime: Runtime):
    given = chunk(Review("1", "굳", MAY), Review("2", "음"))
    with writing(runtime.engine) as connection:
        ledger.accept(connection, [given])
        ledger.begin(connection, given)
        parts = ledger.split(connection, given)
    for part in parts:
        score_chunk(runtime, part, [])
    assert written(runtime.engine) == {"1": MAY, "2": None}


def test_rescoring_changes_no_time(runtime: Runtime, database_url: str):
    score(runtime, Review("1", "굳", MAY), Review("2", "음"))
    broker = FakeBroker(runtime.engine)
    campaign = Campaign(runtime.engine, broker, Selection("v2"), chunk_size=64)
    campaign.step()
    runtime.scorer = FakeScorer("v2")  # type: ignore[assignment]
    [again] = broker.take()
    assert again.purpose == Rescore("v2")
    score_chunk(runtime, again, [])
    assert written(runtime.engine) == {"1": MAY, "2": None}


def test_erasing_a_review_takes_its_time_along(runtime: Runtime):
    score(runtime, Review("1", "굳", MAY), Review("2", "음", MAY))
    forget_all(runtime.engine, "shop", ["1"])
    assert written(runtime.engine) == {"2": MAY}
    assert not find_all_traces(runtime.engine, "shop", ["1"])


def test_a_producer_hands_times_over(engine: Engine, database_url: str, runtime: Runtime):
    broker = FakeBroker(engine)
    with Producer(Settings(database_url=database_url), source="shop", broker=broker) as producer:
        producer.submit("굳", review_id=1, written_at=MAY)
        producer.submit("음", review_id=2, written_at=MAY.isoformat())
        producer.submit("네", review_id=3)
        with pytest.raises(RejectedReview, match="bad-time"):
            producer.submit("글", review_id=4, written_at=datetime(2014, 5, 1))
        producer.flush()
        receipt = producer.submit_many([("5", "하나", JUNE), ("6", "둘"), ("7", "셋", "어제")])
    assert receipt.rejected == {Reason.BAD_TIME: 1}
    for given in broker.take():
        score_chunk(runtime, given, [])
    assert written(engine) == {"1": MAY, "2": MAY, "3": None, "5": JUNE, "6": None}


def test_the_feed_and_exports_say_when(runtime: Runtime, database_url: str, tmp_path: Path):
    score(runtime, Review("1", "굳", MAY), Review("2", "음"))
    lines = [r.to_dict() for batch in read_results(runtime.engine, Cursor.parse("0"))
             for r in batch.results]  # fmt: skip
    assert [line.get("written_at") for line in lines] == [MAY.isoformat(), None]
    for name in ("a.jsonl", "a.parquet"):
        command = ["export", str(tmp_path / name), "--database", database_url]
        assert CliRunner().invoke(app, command).exit_code == 0
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    by_id = {row["review_id"]: row["written_at"] for row in rows}
    assert by_id == {"1": MAY.isoformat(), "2": None}
    found = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert {row["review_id"]: row["written_at"] for row in found} == {"1": MAY, "2": None}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (("--since", "2014-05-01", "--until", "2014-05-02"), {"1"}),
        (("--until", "2015-06-02"), {"1"}),
        (("--since", "2015-06-02"), {"2", "3"}),
        (("--since", "2026-05-01"), {"3"}),
        (("--since", "2026-05-01", "--by", "submitted"), {"1", "2", "3"}),
        (("--until", "2026-05-01", "--by", "submitted"), set()),
        ((), {"1", "2", "3"}),
    ],
)
def test_exports_and_words_of_a_period_go_by_the_day_of_writing(
    runtime: Runtime, database_url: str, tmp_path: Path, chosen: Sequence[str], expected: set[str]
):
    score(runtime, Review("1", "굳", MAY), Review("2", "음", JUNE), Review("3", "네"))
    file = tmp_path / "a.jsonl"
    for what in ("reviews", "tokens"):
        command = ["export", str(file), "--what", what, *chosen, "--database", database_url]
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert {line["review_id"] for line in lines} == expected
    if "--by" not in chosen:
        times = {
            name: parse_utc_time(day) for name, day in zip(chosen[::2], chosen[1::2], strict=True)
        }
        words = HeatFilter("gradcam", None, times.get("--since"), times.get("--until"))
        for model in (None, "v1"):
            with reading(runtime.engine) as connection:
                found = list(find(connection, replace(words, model_version=model)))
            assert {key.review_id for key in found} == expected


def test_the_page_goes_by_the_day_of_writing(runtime: Runtime):
    score(runtime, Review("1", "굳", MAY), Review("2", "음", JUNE))
    add_all_deltas(runtime.engine)
    a_day = Search(period=Period(MAY.date(), MAY.date()))
    today = Search(period=Period(NOON.date(), NOON.date()))
    with reading(runtime.engine) as connection:
        assert newest_day(connection) == JUNE.date()
        assert page_of(connection, a_day) == ["1"]
        assert page_of(connection, today) == []
    score(runtime, Review("3", "네", MAY - timedelta(days=1)), Review("4", "굳"))
    add_all_deltas(runtime.engine)
    with reading(runtime.engine) as connection:
        assert newest_day(connection) == NOON.date()
        assert page_of(connection, a_day) == ["1"]
        assert page_of(connection, today) == ["4"]
        words = _rank_words_of_tokens(connection, "gradcam", a_day.period, "shop", 1)
    assert [(row["surface"], row["reviews"]) for row in words.rows] == [("굳", 1)]


def page_of(connection: Connection, search: Search) -> list[str]:
    return [row["review_id"] for row in find_reviews(connection, search, None, 9, 9).answer.rows]


@pytest.mark.parametrize("seed", range(3))
def test_two_workers_never_disagree_about_a_time(runtime: Runtime, seed: int):
    """Whatever comes in which order, a text's time is that of its latest submission with one."""
    draw = random.Random(seed)
    given = [
        (draw.choice("ab"), draw.choice(["굳", "음"]), draw.choice([MAY, JUNE]), hour)
        for hour in draw.sample(range(50), 20)
    ]
    for key, words, moment, hour in given:
        score(runtime, Review(key, words, moment), at=NOON + timedelta(hours=hour))
    expected = {}
    for key in {key for key, *_ in given}:
        _, _, moment, _ = max((row for row in given if row[0] == key), key=lambda row: row[3])
        expected[key] = moment
    assert written(runtime.engine) == expected
