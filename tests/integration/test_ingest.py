"""Reviews from another system's table: nothing lost, nothing doubled, what is deleted is erased."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from iyu.console.ingest import known_rows
from iyu.console.ingest.mirror import MirrorRefused
from iyu.console.ingest.positions import Place, read_position
from iyu.console.ingest.run import Counts, Ingestion, Mirror, follow_table, ingest_once
from iyu.console.main import app
from iyu.console.operations.forget_reviews import find_all_traces
from iyu.producer import Producer
from iyu.producer.readers.database_table import DatabaseTable, TableNames
from iyu.producer.readers.row_changes import decode, encode, go_back
from iyu.schemas.contract.errors import DatabaseUnavailable, InputError
from iyu.schemas.contract.review import Reason, utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.erasure.forget_all import forget_all
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import FakeBroker, FakeScorer
from tests.harness.services import run_iyu

NAMES = TableNames("shop_reviews", "id", "body", "updated_at", "deleted_at")
FAILS = {"fails": ValueError("as the test wants")}
#: The database's own clock, in whole microseconds.
NOW = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now')",
    "postgresql": "clock_timestamp()",
    "mysql": "SYSDATE(6)",
}
#: A column of times with their microseconds.
TIMES = {"sqlite": "DATETIME", "postgresql": "TIMESTAMPTZ", "mysql": "DATETIME(6)"}


@dataclass
class Shop:
    """The other system: a table of reviews, and what its users do."""

    url: str
    engine: Engine

    def do(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            now = NOW[self.engine.dialect.name]
            connection.execute(text(statement.replace("NOW", now)), values)

    def write(self, key: int, body: str | None) -> None:
        is_mysql = self.engine.dialect.name == "mysql"
        there = "ON DUPLICATE KEY UPDATE" if is_mysql else "ON CONFLICT (id) DO UPDATE SET"
        self.do(
            "INSERT INTO shop_reviews (id, body, updated_at) VALUES (:key, :body, NOW) "
            f"{there} body = :body, updated_at = NOW, deleted_at = NULL",
            key=key, body=body,
        )  # fmt: skip

    def touch(self, key: int) -> None:
        self.do("UPDATE shop_reviews SET updated_at = NOW WHERE id = :key", key=key)

    def mark_deleted(self, key: int) -> None:
        self.do(
            "UPDATE shop_reviews SET deleted_at = NOW, updated_at = NOW WHERE id = :key", key=key
        )

    def drop(self, key: int) -> None:
        self.do("DELETE FROM shop_reviews WHERE id = :key", key=key)


@pytest.fixture
def shop(engine: Engine, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop's database, of the same kind as iyu's."""
    if engine.dialect.name == "sqlite":
        url = f"sqlite:///{tmp_path / 'shop.db'}"
    else:
        url = request.getfixturevalue("postgres").create_database()
    with opened_shop(url) as shop:
        yield shop
    if engine.dialect.name != "sqlite":
        request.getfixturevalue("postgres").drop_database(url)


@contextmanager
def opened_shop(url: str) -> Iterator[Shop]:
    """A shop with its empty table in an empty database."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    kind = TIMES[engine.dialect.name]
    shop = Shop(url, engine)
    shop.do(
        "CREATE TABLE shop_reviews (id INTEGER PRIMARY KEY, body TEXT, "
        f"updated_at {kind}, deleted_at {kind}, number INTEGER)"
    )
    yield shop
    engine.dispose()


@dataclass
class Both:
    """The shop, iyu's side, and a worker that scores when it is told to."""

    shop: Shop
    engine: Engine
    broker: FakeBroker
    producer: Producer
    runtime: Runtime
    names: TableNames = NAMES
    overlap: timedelta = timedelta(minutes=5)
    opened: list[DatabaseTable] = field(default_factory=list)

    def begin(self) -> Ingestion:
        """A process that starts now."""
        table = DatabaseTable(self.shop.url, self.names)
        self.opened.append(table)
        return Ingestion(self.engine, table, self.producer, self.place(table), self.overlap)

    def place(self, table: DatabaseTable) -> Place:
        return Place("shop", table.place, self.names.table)

    def work(self) -> None:
        for chunk in self.broker.take():
            score_chunk(self.runtime, chunk, [])

    def texts(self) -> dict[str, str]:
        with reading(self.engine) as connection:
            query = select(tables.reviews.c.review_id, tables.reviews.c.text)
            return {row.review_id: row.text for row in connection.execute(query)}

    def count(self, table: str) -> int:
        with reading(self.engine) as connection:
            query = select(func.count()).select_from(tables.metadata.tables[table])
            return int(connection.execute(query).scalar_one())


@pytest.fixture
def both(engine: Engine, database_url: str, shop: Shop) -> Iterator[Both]:
    broker = FakeBroker(engine)
    scorer = FakeScorer("v1", by_text=FAILS)
    runtime = Runtime(WorkerSettings(), engine, scorer, None)  # type: ignore[arg-type]
    settings = Settings(database_url=database_url)
    with Producer(settings, source="shop", broker=broker) as producer:
        both = Both(shop, engine, broker, producer, runtime)
        yield both
    for table in both.opened:
        table.close()


def test_new_changed_and_deleted_rows_become_the_same_here(both: Both):
    for key in range(10):
        both.shop.write(key, f"리뷰 {key}")
    process = both.begin()
    assert process.read_changes().submitted == 10
    both.work()
    both.shop.write(3, "생각이 바뀌었어요")
    both.shop.mark_deleted(4)
    counts = process.read_changes()
    assert (counts.submitted, counts.erased) == (1, 1)
    both.work()
    left = {str(key): f"리뷰 {key}" for key in range(10) if key != 4}
    assert both.texts() == left | {"3": "생각이 바뀌었어요"}


@pytest.mark.parametrize("scored", [False, True])
def test_the_overlap_hands_nothing_over_again(both: Both, scored: bool):
    for key in range(10):
        both.shop.write(key, f"리뷰 {key}")
    both.begin().read_changes()
    if scored:
        both.work()
    both.shop.touch(3)
    for process in (both.begin(), both.begin()):
        for _ in range(2):
            assert process.read_changes() == Counts(read=10)
    both.work()
    assert (both.count("batches"), both.count("resubmissions")) == (1, 0)


def test_a_text_that_changes_back_before_it_is_scored_is_the_last_one(both: Both):
    process = both.begin()
    both.shop.write(1, "처음")
    process.read_changes()
    both.work()
    both.shop.write(1, "다시")
    process.read_changes()
    both.shop.write(1, "처음")
    assert both.begin().read_changes().submitted == 1
    both.work()
    assert both.texts() == {"1": "처음"}


def test_killed_between_acceptance_and_position_nothing_is_lost_or_doubled(
    both: Both, monkeypatch: pytest.MonkeyPatch
):
    for key in range(10):
        both.shop.write(key, f"리뷰 {key}")
    process = both.begin()

    def be_killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ingestion, "_move_on", be_killed)
        with pytest.raises(KeyboardInterrupt):
            process.read_changes()
    assert both.begin().read_changes() == Counts(read=10)
    both.work()
    assert (len(both.texts()), both.count("resubmissions")) == (10, 0)


def test_pages_have_every_row_once_also_where_times_are_equal(both: Both):
    both.shop.do(
        "INSERT INTO shop_reviews (id, body, updated_at) "
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
        "SELECT i, 'r', '2026-05-01 12:00:00' FROM n"
    )
    with DatabaseTable(both.shop.url, NAMES) as table:
        pages = list(table.pages(None, rows=7))
    assert [row.key for page in pages for row in page] == list(range(1, 1001))


def test_a_row_that_was_committed_late_is_read(both: Both):
    process = both.begin()
    both.shop.write(1, "먼저")
    process.read_changes()
    both.shop.write(2, "늦게")
    both.shop.do("UPDATE shop_reviews SET updated_at = :at WHERE id = 2", at=_minutes_ago(both, 4))
    assert process.read_changes().submitted == 1


def test_a_row_from_the_future_hides_no_other(both: Both):
    process = both.begin()
    both.shop.write(1, "미래")
    both.shop.do(
        "UPDATE shop_reviews SET updated_at = :at WHERE id = 1", at=_minutes_ago(both, -600)
    )
    process.read_changes()
    both.shop.write(2, "지금")
    assert process.read_changes().submitted == 1


def _minutes_ago(both: Both, minutes: int) -> Any:
    with both.shop.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            query = f"SELECT strftime('%Y-%m-%d %H:%M:%f', 'now', '{-minutes} minutes')"
        elif connection.dialect.name == "mysql":
            query = f"SELECT SYSDATE(6) - INTERVAL {minutes} MINUTE"
        else:
            query = f"SELECT clock_timestamp() - interval '{minutes} minutes'"
        return connection.execute(text(query)).scalar_one()


def test_a_deleted_row_that_comes_back_is_handed_over_again(both: Both):
    process = both.begin()
    both.shop.write(1, "처음")
    process.read_changes()
    both.work()
    both.shop.mark_deleted(1)
    assert process.read_changes().erased == 1
    assert process.read_changes() == Counts(read=1)
    assert both.begin().read_changes() == Counts(read=1)
    both.shop.write(1, "처음")
    assert process.read_changes().submitted == 1
    both.work()
    assert both.texts() == {"1": "처음"}


def test_a_deleted_row_takes_its_pending_review_along(both: Both):
    process = both.begin()
    both.shop.write(1, "처음")
    process.read_changes()
    both.shop.mark_deleted(1)
    assert both.begin().read_changes().erased == 1
    both.work()
    assert both.texts() == {}
    assert find_all_traces(both.engine, "shop", ["1"]) == {}


@pytest.mark.parametrize("again", [False, True])
def test_a_forgotten_review_comes_back_only_if_its_row_changes(both: Both, again: bool):
    process = both.begin()
    both.shop.write(1, "잊어 주세요")
    process.read_changes()
    both.work()
    forget_all(both.engine, "shop", ["1"])
    process = both.begin() if again else process
    assert process.read_changes() == Counts(read=1)
    both.shop.touch(1)
    assert process.read_changes().submitted == 1
    both.work()
    assert both.texts() == {"1": "잊어 주세요"}


def test_bad_rows_are_counted_once_with_their_reason(both: Both):
    both.shop.write(1, "  ")
    both.shop.write(2, "x" * 10_001)
    both.shop.write(3, None)
    both.shop.write(4, "좋아요")
    process = both.begin()
    counts = process.read_changes()
    assert counts.submitted == 1
    assert counts.rejected == {Reason.EMPTY: 2, Reason.TOO_LONG: 1}
    assert process.read_changes() == Counts(read=4)


def test_a_review_that_cannot_be_scored_is_not_handed_over_for_ever(both: Both):
    both.shop.write(1, "fails")
    both.begin().read_changes()
    both.work()
    assert both.count("dead_letters") == 1
    assert both.begin().read_changes() == Counts(read=1)


def test_rows_that_are_gone_are_erased_with_mirror(both: Both):
    for key in range(20):
        both.shop.write(key, f"리뷰 {key}")
    process = both.begin()
    process.read_changes()
    both.work()
    both.shop.drop(7)
    both.shop.do("UPDATE shop_reviews SET deleted_at = NOW WHERE id = 8")  # updated_at stays
    assert ingest_once(process, Mirror(wanted=True)).erased == 2
    assert set(both.texts()) == {str(key) for key in range(20) if key not in (7, 8)}


def test_mirror_erases_no_more_than_a_tenth_unless_forced(both: Both):
    for key in range(20):
        both.shop.write(key, f"리뷰 {key}")
    process = both.begin()
    process.read_changes()
    both.work()
    for key in range(3):
        both.shop.drop(key)
    with pytest.raises(MirrorRefused, match="3 of 20"):
        process.erase_gone(Mirror(wanted=True))
    assert len(both.texts()) == 20
    assert process.erase_gone(Mirror(wanted=True, force=True)).erased == 3
    assert len(both.texts()) == 17


def test_a_small_memory_may_hand_over_twice_and_loses_nothing(
    both: Both, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(known_rows, "REMEMBERED", 10)
    process = both.begin()
    for key in range(40):
        both.shop.write(key, f"리뷰 {key}")
    process.read_changes()
    both.shop.write(1, "다시")
    process.read_changes()
    both.shop.write(1, "리뷰 1")
    process.read_changes()
    both.work()
    assert both.texts() == {str(key): f"리뷰 {key}" for key in range(40)}
    assert process.read_changes() == Counts(read=40)


def test_a_column_of_numbers_serves_too(both: Both):
    both.names = TableNames("shop_reviews", "id", "body", "number")
    both.overlap = timedelta(seconds=5)
    both.shop.do("INSERT INTO shop_reviews (id, body, number) VALUES (1, 'a', 1), (2, 'b', 9)")
    process = both.begin()
    assert process.read_changes().submitted == 2
    both.shop.do("UPDATE shop_reviews SET body = 'c', number = 10 WHERE id = 1")
    counts = process.read_changes()
    assert (counts.read, counts.submitted) == (2, 1)
    forget_all(both.engine, "shop", ["1"])
    assert both.begin().read_changes().submitted == 0


def test_it_cannot_write_there(both: Both):
    with DatabaseTable(both.shop.url, NAMES) as table, table._reading() as connection:  # noqa: SIM117
        with pytest.raises(DBAPIError, match=r"(?i)read[- ]?only"):
            connection.execute(text("DELETE FROM shop_reviews"))


def test_the_position_names_no_user_and_no_password(both: Both):
    both.shop.write(1, "좋아요")
    process = both.begin()
    process.read_changes()
    with reading(both.engine) as connection:
        rows = connection.execute(select(tables.ingest_positions)).all()
        assert read_position(connection, process._place) is not None
    assert len(rows) == 1
    assert "postgres@" not in str(rows)


def test_following_outlives_a_side_that_is_down(both: Both, monkeypatch: pytest.MonkeyPatch):
    both.shop.write(1, "좋아요")
    process = both.begin()
    read, looks, notes = process.read_changes, iter(["failfail", "work", "stop"]), []

    def flaky() -> Counts:
        match next(looks):
            case "work":
                return read()
            case "stop":
                raise KeyboardInterrupt
            case _:
                raise DatabaseUnavailable("down")

    monkeypatch.setattr(process, "read_changes", flaky)
    seen: list[Counts] = []
    with pytest.raises(KeyboardInterrupt):
        follow_table(process, Mirror(), 0.01, seen.append, notes.append)
    assert notes == ["down"]
    assert [counts.submitted for counts in seen] == [1]


@pytest.mark.parametrize(
    ("changed", "earlier"),
    [
        ("2026-05-01 12:00:00", "2026-05-01 11:55:00"),
        ("2026-05-01T12:00:00.500Z", "2026-05-01T11:55:00.500000Z"),
        ("2026-05-01", "2026-04-30"),
        (700, 400),
    ],
)
def test_a_change_goes_back_in_its_own_form(changed: Any, earlier: Any):
    assert go_back(changed, timedelta(minutes=5)) == earlier
    assert decode(encode(changed)) == changed


def run(both: Both, *options: str, url: str | None = None) -> Any:
    names = ("--table", "shop_reviews", "--text", "body", "--changed", "updated_at")
    database = both.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    return CliRunner().invoke(
        app,
        ["ingest", "--from", url or both.shop.url, *names, "--source", "shop",
         "--database", database, *options],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--table", "reviews_of_shop"), "no table 'reviews_of_shop'; it has: shop_reviews"),
        (("--text", "words"), "no column 'words'; it has: id, body, updated_at"),
        (("--changed", "body"), "ISO 8601|takes a column of times"),
    ],
)
def test_a_wrong_name_is_one_clear_line(both: Both, options: tuple[str, ...], says: str):
    both.shop.write(1, "좋아요")
    done = run(both, *options)
    assert done.exit_code == 2, done.output
    assert len(done.stderr.splitlines()) == 1

    assert re.search(says, done.stderr)


def test_a_database_that_is_down_ends_with_3_and_shows_no_password(both: Both):
    done = run(both, url="postgresql://me:sesame@127.0.0.1:9/shop")
    assert done.exit_code == 3
    assert "does not answer" in done.stderr
    assert "sesame" not in done.output


def test_an_address_of_another_kind_is_refused(both: Both):
    done = run(both, url="oracle://me:sesame@host/shop")
    assert done.exit_code == 2
    assert "no address of a database" in done.stderr
    assert "sesame" not in done.output


def test_a_missing_driver_is_one_clear_line():
    with pytest.raises(InputError, match="pip install pymysql"):
        DatabaseTable("mysql://me:sesame@127.0.0.1/shop", NAMES)


def test_the_command_reads_once_and_reports_for_programs(
    shop: Shop, environment: dict[str, str], tmp_path: Path
):
    """The address in the environment, as docs/integration.md advises."""
    for key in range(5):
        shop.write(key, f"리뷰 {key}" if key else " ")

    def ingest(*options: str) -> Any:
        return run_iyu(
            "ingest", "--table", "shop_reviews", "--text", "body", "--changed", "updated_at",
            "--deleted", "deleted_at", "--source", "shop", *options,
            environment=environment | {"IYU_INGEST_FROM": shop.url}, cwd=tmp_path,
        )  # fmt: skip

    first = ingest("--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == {
        "read": 5, "submitted": 4, "unchanged": 0, "erased": 0, "rejected": {"empty": 1}
    }  # fmt: skip
    again = ingest("--overlap", "1h")
    # A bad row is remembered by the process alone.
    assert again.stdout.startswith("5 rows read: 0 handed over, 4 unchanged, 0 erased, 1 rejected")
    assert ingest("--force").returncode == 2


@pytest.fixture
def written(both: Both) -> Both:
    """The same with a column that says when a review was written."""
    kind = TIMES[both.shop.engine.dialect.name]
    both.shop.do(f"ALTER TABLE shop_reviews ADD COLUMN created_at {kind}")
    both.names = replace(NAMES, written="created_at", zone=UTC)
    return both


def say_written(both: Both, key: int, moment: datetime | None) -> None:
    zone = None if both.shop.engine.dialect.name == "mysql" else UTC  # MySQL keeps none
    value = moment.replace(tzinfo=zone).isoformat(sep=" ") if moment else None
    both.shop.do(
        "UPDATE shop_reviews SET created_at = :at, updated_at = NOW WHERE id = :key",
        key=key, at=value,
    )  # fmt: skip


def times(both: Both) -> dict[str, datetime | None]:
    with reading(both.engine) as connection:
        r = tables.reviews.c
        return {row[0]: row[1] for row in connection.execute(select(r.review_id, r.written_at))}


MAY = datetime(2014, 5, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize("scored", [False, True])
def test_a_row_says_once_when_its_review_was_written(written: Both, scored: bool):
    for key in (1, 2):
        written.shop.write(key, f"리뷰 {key}")
        say_written(written, key, MAY if key == 1 else None)
    written.begin().read_changes()
    if scored:
        written.work()
    assert written.begin().read_changes() == Counts(read=2)
    say_written(written, 2, MAY)
    process = written.begin()
    assert process.read_changes() == Counts(read=2, submitted=1)
    assert process.read_changes() == written.begin().read_changes() == Counts(read=2)
    written.work()
    assert written.begin().read_changes() == Counts(read=2)
    assert times(written) == {"1": MAY, "2": MAY}


def test_a_row_written_tomorrow_is_not_handed_over_again_and_again(written: Both):
    written.shop.write(1, "리뷰")
    say_written(written, 1, utc_now() + timedelta(days=1))
    written.begin().read_changes()
    written.work()
    assert written.begin().read_changes() == Counts(read=1)
    assert times(written) == {"1": None}


def test_a_time_that_no_database_of_ours_holds_rejects_its_row(written: Both):
    written.shop.write(1, "리뷰")
    written.shop.do("UPDATE shop_reviews SET created_at = '0001-01-01 00:00:00'")
    written.shop.write(2, "리뷰")
    assert written.begin().read_changes().rejected == {Reason.BAD_TIME: 1}


def test_times_without_a_zone_need_one(both: Both):
    kind = "TIMESTAMP" if both.shop.engine.dialect.name == "postgresql" else "DATETIME"
    both.shop.do(f"ALTER TABLE shop_reviews ADD COLUMN created_at {kind}")
    both.shop.write(1, "리뷰")
    both.shop.do("UPDATE shop_reviews SET created_at = '2014-05-01 12:00:00'")
    both.names = replace(NAMES, written="created_at")
    with pytest.raises(InputError, match=r"shop_reviews.created_at states no time zone"):
        both.begin().read_changes()
    both.names = replace(both.names, zone=ZoneInfo("Asia/Seoul"))
    both.begin().read_changes()
    both.work()
    assert times(both) == {"1": MAY}
