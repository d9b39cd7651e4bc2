"""A review that was forgotten is nowhere any more, and nothing brings it back."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, select, text, update
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.console.operations.forget_reviews import find_all_traces
from iyu.producer import Producer
from iyu.schemas.contract.errors import InputError, SettingsError
from iyu.schemas.contract.message import Chunk, unpack
from iyu.schemas.contract.review import Reason, Rejection, Review, utc_now
from iyu.schemas.erasure import Erased, forget_all, forget_reviews
from iyu.schemas.erasure.forget_all import PART
from iyu.schemas.erasure.letters import ERASED_RAW
from iyu.schemas.erasure.register import REGISTER
from iyu.schemas.erasure.tombstones import CLOCK_TOLERANCE, key_hash, prune_tombstones
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger import progress
from iyu.schemas.ledger.dead_letters import bury_raw, bury_review
from iyu.schemas.results import Cursor, Kind, read_results
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import connected, reading, upgrade, writing
from iyu.schemas.sql.keyword_days import from_explanations
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import FakeBroker, FakeScorer
from tests.integration.test_store import chunk

PHONE = "배송 010-2345-6789 로 연락"
FAILS = {"fails": ValueError("as the test wants")}


@pytest.fixture
def runtime(engine: Engine) -> Runtime:
    scorer = FakeScorer("v1", by_text=FAILS)
    return Runtime(WorkerSettings(), engine, scorer, None)  # type: ignore[arg-type]


def accept(engine: Engine, one: Chunk) -> None:
    with writing(engine) as connection:
        ledger.accept(connection, [one])


def forget(engine: Engine, *review_ids: str) -> None:
    with writing(engine) as connection:
        forget_reviews(connection, "shop", review_ids)


def stored(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        query = select(tables.reviews.c.review_id).order_by(tables.reviews.c.review_id)
        return list(connection.scalars(query))


def everything(engine: Engine) -> str:
    """Every value of every table, payloads unpacked, as one text."""
    found: list[str] = []
    with reading(engine) as connection:
        for table in tables.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                found += [str(v) for v in row if not isinstance(v, bytes)]
        payloads = connection.scalars(select(tables.chunks.c.payload))
        found += [str(unpack(payload)) for payload in payloads if payload]
    return "\n".join(found)


def words(engine: Engine) -> list[tuple[Any, ...]]:
    add_all_deltas(engine)
    with reading(engine) as connection:
        query = select(tables.keyword_days).order_by(text("day, surface, pos, method, source"))
        return [tuple(row) for row in connection.execute(query)]


def test_every_column_is_in_the_register():
    """Who adds a column decides what becomes of it when a review is erased."""
    columns = {table.name: set(table.c.keys()) for table in tables.metadata.sorted_tables}
    assert {name: set(held) for name, held in REGISTER.items()} == columns


def test_a_forgotten_review_is_nowhere(runtime: Runtime):
    engine = runtime.engine
    score_chunk(runtime, chunk({"1": PHONE, "2": "좋다"}), [])
    score_chunk(runtime, chunk({"3": "fails"}), [])
    accept(engine, chunk({"4": PHONE, "5": "좋다"}))
    with writing(engine) as connection:
        bury_raw(connection, f'["shop", [[1, "{PHONE}"]]]', Reason.BAD_MESSAGE, "no list")
    assert PHONE in everything(engine)
    forget(engine, "1", "3", "4")
    add_all_deltas(engine)
    assert find_all_traces(engine, "shop", ["1", "3", "4"]) == {}
    assert "010-2345-6789" not in everything(engine)
    assert stored(engine) == ["2"]


def test_the_feed_says_that_it_is_gone(runtime: Runtime):
    score_chunk(runtime, chunk({"1": "좋다", "2": "좋다"}), [])
    forget(runtime.engine, "1")
    lines = [x for batch in read_results(runtime.engine, Cursor.parse("0")) for x in batch.results]
    assert [(x.kind, x.review_id) for x in lines] == [(Kind.SCORED, "2"), (Kind.ERASED, "1")]


def test_sums_are_those_of_a_database_that_never_saw_it(
    runtime: Runtime, database_url: str, tmp_path: Path
):
    chance = random.Random(5)
    vocabulary = ["배송", "빠르다", "좋다", "별로", "최고"]
    texts = {str(n): " ".join(chance.choices(vocabulary, k=4)) for n in range(60)}
    gone = [str(n) for n in range(0, 60, 3)]
    score_chunk(runtime, chunk(texts), [])
    forget(runtime.engine, *gone)
    summed = words(runtime.engine)
    with connected(f"sqlite:///{tmp_path / 'other.db'}") as other:
        upgrade(other)
        kept = {key: value for key, value in texts.items() if key not in gone}
        score_chunk(replace(runtime, engine=other, registered=False), chunk(kept), [])
        assert [row[:-7] for row in summed] == [row[:-7] for row in words(other)]
        for row, other_row in zip(summed, words(other), strict=True):
            assert row[-7:] == pytest.approx(other_row[-7:])
    with reading(runtime.engine) as connection:
        names = ", ".join(column.name for column in tables.keyword_days.columns)
        query = f"SELECT {names} FROM ({from_explanations(connection.dialect.name)}) AS a"
        anew = connection.execute(text(query)).all()
    assert len(anew) == len(summed)


def test_a_message_on_its_way_brings_nothing_back(runtime: Runtime):
    """The ledger's copy was emptied; the broker's was not."""
    waiting = chunk({"1": PHONE, "2": "좋다"})
    accept(runtime.engine, waiting)
    forget(runtime.engine, "1")
    score_chunk(runtime, waiting, [])
    assert stored(runtime.engine) == ["2"]
    assert PHONE not in everything(runtime.engine)


def test_a_chunk_of_which_nothing_is_left_is_done(runtime: Runtime):
    waiting = chunk({"1": PHONE})
    accept(runtime.engine, waiting)
    forget(runtime.engine, "1")
    score_chunk(runtime, waiting, [])
    with reading(runtime.engine) as connection:
        assert progress.pending(connection) == 0
    assert stored(runtime.engine) == []


def test_what_is_forgotten_while_it_is_scored_is_not_stored(runtime: Runtime):
    class Forgetting(FakeScorer):
        def score(self, texts: Any) -> Any:
            forget(runtime.engine, "1", "3")
            return super().score(texts)

    scorer = Forgetting("v1", by_text=FAILS)
    scoring = replace(runtime, scorer=scorer)  # type: ignore[arg-type]
    score_chunk(scoring, chunk({"1": PHONE, "2": "좋다", "3": "fails"}), [])
    assert stored(runtime.engine) == ["2"]
    assert PHONE not in everything(runtime.engine)


def test_a_chunk_that_is_split_later_leaves_it_out(runtime: Runtime):
    doomed = chunk({"1": PHONE, "2": "좋다", "3": "별로"})
    accept(runtime.engine, doomed)
    for _ in range(runtime.settings.max_attempts):
        with writing(runtime.engine) as connection:
            ledger.begin(connection, doomed)
    forget(runtime.engine, "1")

    class Publisher:
        def publish(self, chunks: Any) -> None:
            self.parts = chunks

    publisher = Publisher()
    score_chunk(replace(runtime, publisher=publisher), doomed, [])  # type: ignore[arg-type]
    assert [part.reviews[0].review_id for part in publisher.parts] == ["2", "3"]
    assert PHONE not in everything(runtime.engine)


def test_what_was_rejected_on_arrival_is_not_kept_either(runtime: Runtime):
    one = chunk({"2": "좋다"}, utc_now())
    forget(runtime.engine, "1")
    score_chunk(runtime, one, [(Rejection("1", Reason.TOO_LONG), PHONE)])
    assert PHONE not in everything(runtime.engine)


def test_a_later_submission_is_a_new_review(runtime: Runtime):
    score_chunk(runtime, chunk({"1": "옛날 글"}), [])
    forget(runtime.engine, "1")
    again = chunk({"1": "새 글"}, utc_now())
    accept(runtime.engine, again)
    score_chunk(runtime, again, [])
    assert stored(runtime.engine) == ["1"]


@pytest.mark.parametrize(
    ("later", "kept"), [(timedelta(minutes=1), []), (2 * CLOCK_TOLERANCE, ["1"])]
)
def test_without_the_ledger_a_time_a_little_later_counts_as_earlier(
    runtime: Runtime, later: timedelta, kept: list[str]
):
    forget(runtime.engine, "1")
    erased_at = utc_now() - timedelta(hours=1)
    with writing(runtime.engine) as connection:
        connection.execute(tables.tombstones.update().values(erased_at=erased_at))
    score_chunk(runtime, chunk({"1": "글"}, erased_at + later), [])
    assert stored(runtime.engine) == kept


def test_a_tombstone_outlives_every_chunk_that_is_still_open(runtime: Runtime):
    forget(runtime.engine, "1")
    waiting = chunk({"1": PHONE}, utc_now() - timedelta(days=3))
    accept(runtime.engine, waiting)
    tomorrow = utc_now() + timedelta(days=1)
    with writing(runtime.engine) as connection:
        assert prune_tombstones(connection, tomorrow) == 0
        ledger.finish(connection, waiting.chunk_id)
        assert prune_tombstones(connection, tomorrow) == 1


def test_letters_of_others_stay(runtime: Runtime):
    engine, given = runtime.engine, chunk({"1": "가", "2": "나"})
    with writing(engine) as connection:
        for review in (Review("1", "가"), Review("2", "나")):
            bury_review(connection, given, review, Reason.SCORING_FAILED, "ValueError")
        bury_raw(connection, '["other", [["1", "글"]]]', Reason.BAD_MESSAGE, "no list")
    forget(engine, "1")
    with reading(engine) as connection:
        letters = connection.execute(select(tables.dead_letters)).all()
    assert sorted((x.review_id or "", x.raw or "") for x in letters) == [
        ("", '["other", [["1", "글"]]]'),
        ("2", ""),
    ]


@pytest.mark.parametrize(
    "raw",
    [
        '{"source": "shop", "reviews": [["17", "글"]',
        '"stray {"source": "shop", "id": "17"',
        '["shop", "17',
        '["shop", "17\\',
        '["shop", "17", "' + '\\"' * 49_000,
    ],
)
def test_a_broken_message_is_emptied_however_it_is_broken(runtime: Runtime, raw: str):
    """Of the last one each quote was once read to the end, for minutes, while workers waited."""
    with writing(runtime.engine) as connection:
        bury_raw(connection, raw, Reason.BAD_MESSAGE, "no JSON")
    forget(runtime.engine, "17")
    with reading(runtime.engine) as connection:
        assert connection.scalars(select(tables.dead_letters.c.raw)).all() == [ERASED_RAW]


def test_a_damaged_payload_stops_no_erasure_and_counts_as_a_trace(runtime: Runtime):
    engine, damaged = runtime.engine, chunk({"1": "가"})
    accept(engine, damaged)
    accept(engine, chunk({"2": "나"}))
    with writing(engine) as connection:
        rows = update(tables.chunks).where(tables.chunks.c.chunk_id == damaged.chunk_id)
        connection.execute(rows.values(payload=b"no longer what it was"))
    forget_all(engine, "shop", ["1", "2", "3"])
    assert find_all_traces(engine, "shop", ["3"]) == {"chunks.payload": 1}


@pytest.fixture
def command(runtime: Runtime, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("IYU_DATABASE_URL", database_url)
    score_chunk(runtime, chunk({str(n): f"글 {n}" for n in range(5)}), [])
    return lambda *words, **how: CliRunner().invoke(app, ["forget", *words], **how)


def test_the_command_takes_ids_a_file_or_a_condition(
    runtime: Runtime, command: Any, tmp_path: Path
):
    assert "2 reviews are forgotten: 2 were stored" in command("shop", "0", "1").output
    ids = tmp_path / "ids.txt"
    ids.write_text("2\n\n")
    assert command("shop", "--file", str(ids)).exit_code == 0
    assert command("shop", "--file", "-", input="3\n").exit_code == 0
    assert command("shop", "--where", "text LIKE '%4'", "--yes").exit_code == 0
    assert stored(runtime.engine) == []


def test_the_command_asks_before_a_condition_erases(runtime: Runtime, command: Any):
    assert command("shop", "--where", "1 = 1", input="n\n").exit_code == 1
    assert len(stored(runtime.engine)) == 5


@pytest.mark.parametrize(
    "words",
    [
        ("shop",),
        ("shop", "1", "--where", "1 = 1"),
        ("shop", "--file", "/nowhere/ids.txt"),
        ("shop", "--file", "/dev/zero"),
        ("shop", "--where", "nonsense", "--yes"),
        ("shop", "--where", "1 = 1); DELETE FROM reviews; --", "--yes"),
        ("nobody", "--where", "1 = 1", "--yes"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_erases_nothing(
    runtime: Runtime, command: Any, words: tuple[str, ...]
):
    result = command(*words)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert len(stored(runtime.engine)) == 5


def test_verify_reports_what_is_left(runtime: Runtime, command: Any):
    before = command("shop", "0", "--verify")
    assert (before.exit_code, "reviews: 1" in before.output) == (4, True)
    command("shop", "0")
    assert command("shop", "0", "--verify").exit_code == 0


def test_many_are_forgotten_in_parts(runtime: Runtime):
    seen: list[int] = []
    ids = [str(n) for n in range(2 * PART + 200)]
    score_chunk(runtime, chunk(dict.fromkeys(ids[:400], "좋다")), [])
    erased = forget_all(runtime.engine, "shop", iter(ids), seen.append)
    assert (erased.stored, stored(runtime.engine)) == (400, [])
    assert seen == [PART, 2 * PART, 2 * PART + 200]


def producer(database_url: str, broker: FakeBroker, **options: Any) -> Producer:
    return Producer(source="shop", database_url=database_url, broker=broker, **options)


def test_a_producer_forgets_what_is_stored_and_what_it_still_holds(
    runtime: Runtime, database_url: str
):
    score_chunk(runtime, chunk({"1": PHONE, "2": "좋다"}), [])
    broker = FakeBroker()
    with producer(database_url, broker, linger=3600.0) as given:
        given.submit(PHONE, review_id="3")
        assert given.forget(iter([1, "3"])) == Erased(stored=1, pending=1, letters=0)
    for sent in broker.take():
        score_chunk(runtime, sent, [])
    assert stored(runtime.engine) == ["2"]
    assert PHONE not in everything(runtime.engine)


def test_a_producer_forgets_nothing_without_the_ledger_or_a_proper_id(
    runtime: Runtime, database_url: str
):
    with (
        producer(database_url, FakeBroker(), ledger=False) as without,
        pytest.raises(SettingsError, match="forget needs the ledger"),
    ):
        without.forget(["1"])
    with (
        producer(database_url, FakeBroker()) as given,
        pytest.raises(InputError, match="cannot be the id"),
    ):
        given.forget(["1", "a\0b"])


def test_prune_deletes_old_tombstones_and_old_lines_of_the_feed(
    runtime: Runtime, database_url: str
):
    """The erased review's id, too, is gone then."""
    forget(runtime.engine, "1", "2")
    month = timedelta(days=40)
    with writing(runtime.engine) as connection:
        connection.execute(tables.tombstones.update().values(erased_at=utc_now() - month))
        connection.execute(tables.result_events.update().values(happened_at=utc_now() - month))
    forget(runtime.engine, "3")
    result = CliRunner().invoke(app, ["db", "prune", "--database", database_url])
    assert "1 lines of the results feed and 2 tombstones deleted" in result.output
    assert [hashed for hashed, _ in rows_of(runtime.engine, tables.tombstones)] == [
        key_hash("shop", "3")
    ]


def rows_of(engine: Engine, table: Table) -> list[tuple[Any, ...]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(select(table))]
