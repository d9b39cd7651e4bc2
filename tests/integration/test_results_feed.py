"""The results feed: no reader misses a committed change, and none appears behind a cursor."""

import random
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from iyu.console.operations.follow_results import Reading, follow_results
from iyu.schemas.contract.review import Reason, Review, utc_now
from iyu.schemas.ledger.dead_letters import bury_raw, bury_review
from iyu.schemas.results import Cursor, CursorError, Filter, Kind, Result, end_of_feed, read_results
from iyu.schemas.results.consumers import ConsumerBusy, move_consumer, read_consumer
from iyu.schemas.results.epoch import FeedMoved, restart_feed
from iyu.schemas.results.events import record
from iyu.schemas.results.retention import feed_lag, prune_feed
from iyu.schemas.sql.engine import connected, reading, upgrade, writing
from iyu.worker.rows import write_chunk as store
from tests.integration.test_store import MANIFEST, chunk, write

BEGINNING = Cursor.parse("0")


def read_all(engine: Engine, after: Cursor = BEGINNING, **wanted: Any) -> list[Result]:
    batches = read_results(engine, after, Filter(**wanted))
    return [result for batch in batches for result in batch.results]


def ids(results: Sequence[Result]) -> list[str | None]:
    return [result.review_id for result in results]


def begin(stack: ExitStack, engine: Engine) -> Connection:
    connection = stack.enter_context(engine.connect())
    connection.begin()
    return connection


@pytest.fixture
def shown(engine: Engine) -> Engine:
    with writing(engine) as connection:
        store.register_model(connection, "v1", MANIFEST)
    return engine


class Writers:
    """Transactions that begin, write, commit and roll back in any order, on one PostgreSQL."""

    def __init__(self, engine: Engine, stack: ExitStack, chance: random.Random) -> None:
        self.committed: list[str] = []
        self._engine, self._stack, self._chance = engine, stack, chance
        self._running: list[tuple[Connection, list[str]]] = []
        self._written = 0

    def begin(self) -> None:
        if len(self._running) < 4:
            self._running.append((begin(self._stack, self._engine), []))

    def write(self) -> None:
        if self._running:
            connection, mine = self._chance.choice(self._running)
            mine.append(str(self._written))
            record(connection, Kind.ERASED, "shop", [str(self._written)])
            self._written += 1

    def end(self) -> None:
        if self._running:
            which = self._chance.randrange(len(self._running))
            self._end(which, commit=self._chance.random() < 0.7)

    def end_all(self) -> None:
        while self._running:
            self._end(0, commit=True)

    def _end(self, which: int, *, commit: bool) -> None:
        connection, mine = self._running.pop(which)
        if commit:
            connection.commit()
            self.committed += mine
        else:
            connection.rollback()
        connection.close()


@pytest.mark.parametrize("seed", range(20))
def test_interleaved_transactions_leave_no_gap(postgres_url: str, seed: int):
    chance = random.Random(seed)
    seen: list[str | None] = []
    with connected(postgres_url) as engine, ExitStack() as stack:
        upgrade(engine)
        after, writers = BEGINNING, Writers(engine, stack, chance)
        for _ in range(120):
            act = chance.choice([writers.begin, writers.write, writers.write, writers.end, None])
            if act is not None:
                act()
                continue
            for batch in read_results(engine, after):
                seen += ids(batch.results)
                after = batch.after
        writers.end_all()
        seen += ids(read_all(engine, after))
        whole = ids(read_all(engine))
    assert writers.committed, "this seed committed nothing"
    assert sorted(map(int, filter(None, seen))) == sorted(map(int, writers.committed))
    # What was read in parts is what is read at once: nothing appeared behind a cursor.
    assert seen == whole


def test_a_running_transaction_holds_the_feed_back_and_the_lag_shows_it(postgres_url: str):
    with connected(postgres_url) as engine, ExitStack() as stack:
        upgrade(engine)
        early = begin(stack, engine)
        record(early, Kind.ERASED, "shop", ["early"])
        with writing(engine) as connection:
            record(connection, Kind.ERASED, "shop", ["late"])
        assert ids(read_all(engine)) == []
        with reading(engine) as connection:
            assert feed_lag(connection).events == 1
            assert feed_lag(connection).oldest is not None
        early.commit()
        assert ids(read_all(engine)) == ["early", "late"]
        with reading(engine) as connection:
            assert feed_lag(connection).events == 0


def test_every_review_of_a_chunk_is_a_line_with_its_score(shown: Engine):
    write(shown, chunk({"1": "아주 재미있다", "2": "다시 보니 별로"}))
    lines = read_all(shown)
    assert ids(lines) == ["1", "2"]
    assert {line.kind for line in lines} == {Kind.SCORED}
    assert [(line.label, line.probability, line.text) for line in lines] == [
        ("positive", 0.75, "아주 재미있다"),
        ("positive", 0.75, "다시 보니 별로"),
    ]
    assert len({line.event_id for line in lines}) == 2


def test_reading_goes_on_behind_any_line(shown: Engine):
    for part in ({"1": "가", "2": "나", "3": "다"}, {"4": "라"}, {"5": "마", "6": "바"}):
        write(shown, chunk(part))
    lines = read_all(shown)
    for number, line in enumerate(lines, start=1):
        behind = read_all(shown, Cursor.parse(line.cursor))
        assert [x.event_id for x in behind] == [x.event_id for x in lines[number:]]


def test_only_scores_are_filtered_and_the_cursor_moves_past_them(shown: Engine):
    write(shown, chunk({"good": "좋다"}), probability=0.9)
    write(shown, chunk({"bad": "별로"}), probability=0.1)
    with writing(shown) as connection:
        record(connection, Kind.ERASED, "shop", ["gone"])
    assert ids(read_all(shown, label="negative")) == ["bad", "gone"]
    assert ids(read_all(shown, below=0.05)) == ["gone"]
    assert ids(read_all(shown, above=0.5)) == ["good", "gone"]
    assert ids(read_all(shown, sources=("other",))) == []
    *_, last = read_results(shown, BEGINNING, Filter(sources=("other",)))
    assert ids(read_all(shown, last.after)) == []


def test_a_trial_wakes_nobody(shown: Engine):
    with writing(shown) as connection:
        store.register_model(connection, "trial", MANIFEST, activate=False)
    write(shown, chunk({"1": "좋다"}), "v1")
    write(shown, chunk({"1": "좋다"}), "trial")
    assert len(read_all(shown)) == 1


def test_dead_letters_are_in_the_feed(shown: Engine):
    given = chunk({"1": "좋다"})
    with writing(shown) as connection:
        bury_review(connection, given, Review("1", "좋다"), Reason.SCORING_FAILED, "ValueError")
        bury_raw(connection, "no message", Reason.BAD_MESSAGE, "not JSON")
    assert [(x.kind, x.source, x.review_id) for x in read_all(shown)] == [
        (Kind.DEAD, "shop", "1"),
        (Kind.DEAD, None, None),
    ]


def test_the_view_gives_the_same_lines(shown: Engine):
    write(shown, chunk({"1": "좋다", "2": "별로"}))
    with writing(shown) as connection:
        record(connection, Kind.ERASED, "shop", ["3"])
        record(connection, Kind.MODEL_CHANGED, None, [], "v1")
    with reading(shown) as connection:
        query = (
            "SELECT kind, source, review_id, probability FROM results ORDER BY xid, id, position"
        )
        rows = [tuple(row) for row in connection.execute(text(query))]
    lines = read_all(shown)
    assert rows == [(x.kind, x.source, x.review_id, x.probability) for x in lines]
    assert len(rows) == 4


def test_a_consumer_keeps_its_place_and_gets_again_what_was_not_taken(shown: Engine):
    taken: list[str | None] = []

    def fail(_: Sequence[Result]) -> None:
        raise OSError("the pipe is closed")

    write(shown, chunk({"1": "좋다"}))
    crm = Reading(Filter(), consumer="crm")
    with pytest.raises(OSError, match="pipe"):
        follow_results(shown, crm, fail)
    follow_results(shown, crm, lambda results: taken.extend(ids(results)))
    write(shown, chunk({"2": "별로"}))
    follow_results(shown, crm, lambda results: taken.extend(ids(results)))
    follow_results(shown, crm, lambda results: taken.extend(ids(results)))
    assert taken == ["1", "2"]


def test_two_processes_cannot_move_one_consumer(shown: Engine):
    with writing(shown) as connection:
        move_consumer(connection, "crm", None, BEGINNING)
        here = end_of_feed(connection)
        move_consumer(connection, "crm", BEGINNING, here)
    with pytest.raises(ConsumerBusy, match="crm"), writing(shown) as connection:
        move_consumer(connection, "crm", BEGINNING, here)
    with reading(shown) as connection:
        assert read_consumer(connection, "crm") == here


def test_a_cursor_behind_what_was_pruned_is_refused(shown: Engine):
    write(shown, chunk({"1": "가"}))
    first = read_all(shown)[0]
    write(shown, chunk({"2": "나"}))
    second = read_all(shown)[1]
    with writing(shown) as connection:
        assert prune_feed(connection, utc_now() + timedelta(minutes=1)) == 2
    write(shown, chunk({"3": "다"}))
    assert ids(read_all(shown)) == ["3"]
    assert ids(read_all(shown, Cursor.parse(second.cursor))) == ["3"]
    with pytest.raises(CursorError, match="pruned"):
        read_all(shown, Cursor.parse(first.cursor))


def test_what_is_no_cursor_is_refused_in_one_line(shown: Engine):
    for broken in ("", "1", "x.y", "가", "MTIzLjQ", "\0"):
        with pytest.raises(CursorError, match="no cursor"):
            Cursor.parse(broken)
    with pytest.raises(CursorError, match="another database"):
        read_all(shown, Cursor("elsewhere", 0, 1))


def test_a_feed_restored_in_another_cluster_is_refused_until_it_is_restarted(postgres_url: str):
    with connected(postgres_url) as engine:
        upgrade(engine)
        with writing(engine) as connection:
            record(connection, Kind.ERASED, "shop", ["1"])
        old = read_all(engine)[0]
        with writing(engine) as connection:
            # What a dump of a cluster far ahead of this one brings along.
            connection.execute(text("UPDATE result_feed SET cluster = '1'"))
            connection.execute(text("UPDATE result_events SET xid = '999999999999'"))
        with pytest.raises(FeedMoved, match="restart-feed"):
            read_all(engine)
        with writing(engine) as connection:
            restart_feed(connection, "new")
        assert ids(read_all(engine)) == ["1"]
        with pytest.raises(CursorError, match="restored"):
            read_all(engine, Cursor.parse(old.cursor))
