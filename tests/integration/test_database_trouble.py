"""Trouble with the database is never a review's fault, and a row it rejects is nobody else's."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, select, text

from iyu.console.exit_codes import SIDE_DOWN, exit_code
from iyu.producer.attempts import attempts
from iyu.schemas.contract.errors import (
    DatabaseUnavailable,
    DatabaseUnusable,
    NotADatabase,
    SettingsError,
)
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Reason, Review, utc_now
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.chunks import Begun, State
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import connect, connected, reading, upgrade, writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import FakeScorer

#: More often than a chunk may be begun.
OFTEN = 5


def runtime_on(engine: Engine) -> Runtime:
    settings = WorkerSettings(max_attempts=3)
    return Runtime(settings, engine, FakeScorer("abc"), None)  # type: ignore[arg-type]


def chunk(*ids: str) -> Chunk:
    return Chunk(new_id(), "test", tuple(Review(i, f"글 {i}") for i in ids), utc_now())


def execute(engine: Engine, *statements: str) -> None:
    with writing(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def column(engine: Engine, column) -> list:
    with reading(engine) as connection:
        return sorted(connection.scalars(select(column)))


def fails_often_then_succeeds(runtime: Runtime, repair: Callable[[], None], cause: str) -> None:
    """A chunk outlives trouble with the database, however often it was tried meanwhile."""
    one = chunk("1", "2")
    with writing(runtime.engine) as connection:
        ledger.accept(connection, [one])
    for _ in range(OFTEN):
        # Each time another process: no attempt may be left for the next one to take back.
        with pytest.raises(DatabaseUnusable, match=cause):
            score_chunk(runtime_on(runtime.engine), one, [])
    repair()
    assert column(runtime.engine, tables.chunks.c.attempts) == [0]
    score_chunk(runtime, one, [])
    assert column(runtime.engine, tables.predictions.c.review_id) == ["1", "2"]
    assert column(runtime.engine, tables.dead_letters.c.reason) == []


def test_a_missing_table_buries_nothing(engine: Engine):
    execute(engine, "ALTER TABLE day_deltas RENAME TO elsewhere")

    def repair() -> None:
        execute(engine, "ALTER TABLE elsewhere RENAME TO day_deltas")

    fails_often_then_succeeds(runtime_on(engine), repair, "iyu db upgrade")


@contextmanager
def role(postgres_url: str) -> Iterator[tuple[Engine, Engine]]:
    """Give an administrator's engine, and that of a role that may do everything in the tables."""
    with connected(postgres_url) as admin:
        upgrade(admin)
        name = f"role_{new_id().replace('-', '')}"
        execute(
            admin,
            f"CREATE ROLE {name} LOGIN PASSWORD 'geheim'",
            f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}",
            f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name}",
        )
        url = make_url(postgres_url).set(username=name, password="geheim")
        with connected(url.render_as_string(hide_password=False)) as engine:
            yield admin, engine
        execute(admin, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_a_revoked_right_buries_nothing_and_is_named(postgres_url: str):
    with role(postgres_url) as (admin, engine):
        name = engine.url.username
        execute(admin, f"REVOKE INSERT ON day_deltas FROM {name}")

        def repair() -> None:
            execute(admin, f"GRANT INSERT ON day_deltas TO {name}")

        fails_often_then_succeeds(
            runtime_on(engine), repair, "permission denied for table day_deltas.*grant it"
        )


def test_a_full_disk_buries_nothing(sqlite_url: str):
    with connected(sqlite_url) as engine:
        upgrade(engine)
        one = Chunk(new_id(), "test", (Review("1", "긴 글 " * 2_000),), utc_now())
        for _ in range(OFTEN):
            with reading(engine) as connection:  # a limit of the connection, and the pool has one
                pages = connection.execute(text("PRAGMA page_count")).scalar_one()
                connection.execute(text(f"PRAGMA max_page_count = {pages}"))
            with pytest.raises(DatabaseUnusable, match=r"full.*disk space"):
                score_chunk(runtime_on(engine), one, [])
        # The next connection has no limit.
        score_chunk(runtime_on(engine), one, [])
        assert column(engine, tables.predictions.c.review_id) == ["1"]
        assert column(engine, tables.dead_letters.c.reason) == []


def test_a_database_that_became_read_only_is_unusable_until_it_can_be_written(postgres_url: str):
    with connected(postgres_url) as engine:
        upgrade(engine)
        name = engine.url.database
        execute(engine, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        engine.dispose()
        with pytest.raises(DatabaseUnusable, match="primary"):
            score_chunk(runtime_on(engine), chunk("1"), [])
        execute(
            engine,
            "SET TRANSACTION READ WRITE",
            f"ALTER DATABASE {name} RESET default_transaction_read_only",
        )
        # The pool holds no connection of the time when it was read-only.
        engine.dispose()
        score_chunk(runtime_on(engine), chunk("1"), [])
        assert column(engine, tables.predictions.c.review_id) == ["1"]


def test_after_a_read_only_answer_connections_are_made_anew(postgres_url: str):
    """They may lead to the server that was demoted."""
    with connected(postgres_url) as engine:
        upgrade(engine)
        statement = text("SELECT pg_backend_pid()")
        with reading(engine) as connection:
            before = connection.execute(statement).scalar_one()
        with pytest.raises(DatabaseUnusable):
            execute(engine, "SET TRANSACTION READ ONLY", "CREATE TABLE t (n int)")
        with reading(engine) as connection:
            assert connection.execute(statement).scalar_one() != before


def test_a_connection_that_an_administrator_ends_is_transient(postgres_url: str):
    with connected(postgres_url) as engine:
        with pytest.raises(DatabaseUnavailable) as raised, writing(engine) as connection:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        assert not isinstance(raised.value, DatabaseUnusable)


def test_a_damaged_file_is_unusable(sqlite_url: str):
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with connected(sqlite_url) as engine:
        upgrade(engine)
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with connected(sqlite_url) as engine, pytest.raises(DatabaseUnusable, match="backup"):
        score_chunk(runtime_on(engine), chunk("1"), [])


def test_a_file_of_another_kind_is_unusable_for_a_worker_too(tmp_path: Path):
    (tmp_path / "reviews.csv").write_text("id,text\n1,좋아요\n" * 100)
    with connected(f"sqlite:///{tmp_path / 'reviews.csv'}") as engine:
        with pytest.raises(DatabaseUnavailable) as raised:
            score_chunk(runtime_on(engine), chunk("1"), [])
        assert isinstance(raised.value, NotADatabase)


def test_a_login_that_is_refused_is_unusable(postgres_url: str):
    url = make_url(postgres_url).set(username="nobody_knows_me", password="hunter2")
    engine = connect(url.render_as_string(hide_password=False))
    with pytest.raises(DatabaseUnusable, match="IYU_DATABASE_URL") as raised, reading(engine):
        pass
    assert "hunter2" not in str(raised.value)
    assert exit_code(raised.value) == SIDE_DOWN
    engine.dispose()


def test_a_producer_waits_for_a_database_that_is_down_and_for_nothing_else():
    answers = [DatabaseUnavailable("down"), DatabaseUnusable("full"), DatabaseUnusable("full")]

    def try_again() -> None:
        for attempt in attempts(DatabaseUnavailable, 60):
            with attempt:
                raise answers.pop(0)

    with pytest.raises(DatabaseUnusable):
        try_again()
    assert len(answers) == 1


def forbid(engine: Engine, review_id: str) -> None:
    """Let the database reject a review's prediction."""
    if engine.dialect.name == "postgresql":
        execute(engine, f"ALTER TABLE predictions ADD CHECK (review_id <> '{review_id}')")
    else:
        execute(
            engine,
            f"CREATE TRIGGER forbid BEFORE INSERT ON predictions WHEN new.review_id = '{review_id}'"
            " BEGIN SELECT RAISE(ABORT, 'forbidden'); END",
        )


def test_a_row_that_the_database_rejects_sinks_no_neighbour(engine: Engine):
    forbid(engine, "3")
    one = chunk(*map(str, range(1, 8)))
    score_chunk(runtime_on(engine), one, [])
    assert column(engine, tables.predictions.c.review_id) == ["1", "2", "4", "5", "6", "7"]
    with reading(engine) as connection:
        letter = connection.execute(select(tables.dead_letters)).one()
    assert (letter.review_id, letter.text, letter.reason) == ("3", "글 3", Reason.STORE_FAILED)
    assert "글" not in letter.error
    assert column(engine, tables.chunks.c.state) == [State.DONE]
    assert column(engine, tables.reviews.c.review_id) == ["1", "2", "4", "5", "6", "7"]


def test_a_table_that_somebody_locks_is_given_up_on_in_time(postgres_url: str):
    with (
        connected(postgres_url) as other,
        connected(postgres_url, busy_ms=200) as engine,
    ):
        upgrade(other)
        runtime, one = runtime_on(engine), chunk("1")
        with writing(other) as connection:
            connection.execute(text("LOCK TABLE predictions IN ACCESS EXCLUSIVE MODE"))
            for _ in range(OFTEN):
                with pytest.raises(DatabaseUnavailable, match="lock timeout"):
                    score_chunk(runtime, one, [])
        score_chunk(runtime, one, [])
        assert column(engine, tables.predictions.c.review_id) == ["1"]
        assert column(engine, tables.chunks.c.attempts) == [1]


def test_the_database_ends_a_session_that_froze_inside_a_transaction(postgres_url: str):
    """Or the locks of a machine that hangs would stop every other worker on its reviews."""
    with connected(postgres_url) as other, connected(postgres_url, idle_ms=200) as engine:
        upgrade(other)
        one = chunk("1")
        with writing(other) as connection:
            ledger.accept(connection, [one])

        def freeze_meanwhile() -> None:
            with writing(engine) as frozen:
                assert ledger.begin(frozen, one)
                with writing(other) as connection:  # waits for the frozen one's lock, and gets it
                    begun.append(ledger.begin(connection, one))
                frozen.execute(text("SELECT 1"))

        begun: list[Begun | None] = []
        with pytest.raises(DatabaseUnavailable):
            freeze_meanwhile()
        assert [one and one.attempts for one in begun] == [1]


@pytest.mark.parametrize("encoding", ["LATIN1", "EUC_KR", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_text_is_refused(postgres_url: str, encoding: str):
    server, _, name = postgres_url.rpartition("/")
    other = f"{name}_{encoding.lower()}"
    with connected(f"{server}/postgres") as maintenance:
        by_itself = maintenance.execution_options(isolation_level="AUTOCOMMIT")
        with by_itself.connect() as connection:
            connection.execute(
                text(
                    f"CREATE DATABASE {other} ENCODING '{encoding}' TEMPLATE template0 "
                    "LC_COLLATE 'C' LC_CTYPE 'C'"
                )
            )
            with (
                connected(f"{server}/{other}") as engine,
                pytest.raises(SettingsError, match="UTF8"),
            ):
                upgrade(engine)
            connection.execute(text(f"DROP DATABASE {other} WITH (FORCE)"))
