"""Migrations, views and the ledger on the databases themselves."""

from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect

from iyu.schemas.contract.errors import DatabaseOutdated, DatabaseUnavailable
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger import progress
from iyu.schemas.ledger.chunks import State
from iyu.schemas.sql.engine import check, connect, reading, upgrade, writing
from iyu.schemas.sql.tables import chunks, metadata
from iyu.schemas.sql.views import NAMES

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def chunk(count: int = 4) -> Chunk:
    reviews = tuple(Review(str(i), f"글 {i}") for i in range(count))
    return Chunk(new_id(), "shop", reviews, NOW)


def state_of(engine: Engine, chunk_id: str) -> tuple[str, int, bool]:
    with reading(engine) as connection:
        row = connection.execute(chunks.select().where(chunks.c.chunk_id == chunk_id)).one()
    return row.state, row.attempts, row.payload is None


def test_the_migrations_make_exactly_the_tables_that_the_code_expects(engine: Engine):
    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_view_can_be_queried_and_a_second_upgrade_changes_nothing(engine: Engine):
    upgrade(engine)
    check(engine)
    assert set(NAMES) <= set(inspect(engine).get_view_names())
    with reading(engine) as connection:
        for name in NAMES:
            assert connection.exec_driver_sql(f"SELECT COUNT(*) FROM {name}").scalar() == 0


def test_tables_of_no_version_are_reported_with_what_to_do(database_url: str):
    engine = connect(database_url)
    with pytest.raises(DatabaseOutdated, match="iyu db upgrade"):
        check(engine)
    engine.dispose()


def test_a_database_that_is_not_there_is_unavailable_and_its_password_hidden():
    engine = connect("postgresql://iyu:hunter2@127.0.0.1:1/iyu")
    with pytest.raises(DatabaseUnavailable) as raised, reading(engine):
        pass
    assert "hunter2" not in str(raised.value)


def test_a_failure_leaves_nothing_half_written(engine: Engine):
    given = chunk()

    def fail_halfway() -> None:
        with writing(engine) as connection:
            ledger.accept(connection, [given])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    with reading(engine) as connection:
        assert progress.pending(connection) == 0


def test_a_chunk_goes_from_accepted_to_done_and_its_payload_goes(engine: Engine):
    given = chunk()
    with writing(engine) as connection:
        ledger.accept(connection, [given])
        assert progress.pending(connection) == 4
    assert state_of(engine, given.chunk_id) == (State.QUEUED, 0, False)
    with writing(engine) as connection:
        begun = ledger.begin(connection, given)
        assert begun is not None
        assert (begun.attempts, begun.is_part) == (1, False)
    assert state_of(engine, given.chunk_id) == (State.RUNNING, 1, False)
    with writing(engine) as connection:
        ledger.finish(connection, given.chunk_id)
        assert progress.pending(connection) == 0
    assert state_of(engine, given.chunk_id) == (State.DONE, 1, True)


def test_a_finished_chunk_is_not_begun_again(engine: Engine):
    given = chunk()
    with writing(engine) as connection:
        ledger.accept(connection, [given])
        ledger.finish(connection, given.chunk_id)
        assert ledger.begin(connection, given) is None


def test_a_chunk_without_a_row_gets_one_when_it_arrives(engine: Engine):
    given = chunk()
    with writing(engine) as connection:
        begun = ledger.begin(connection, given)
        assert begun is not None
        assert (begun.attempts, begun.is_part) == (1, False)
    assert state_of(engine, given.chunk_id) == (State.RUNNING, 1, False)


def test_handing_back_takes_the_attempt_back(engine: Engine):
    given = chunk()
    with writing(engine) as connection:
        ledger.begin(connection, given)
        ledger.hand_back(connection, [given.chunk_id])
    assert state_of(engine, given.chunk_id) == (State.QUEUED, 0, False)


def test_a_split_loses_no_review_and_doubles_none(engine: Engine):
    given = chunk(5)
    with writing(engine) as connection:
        ledger.begin(connection, given)
        parts = ledger.split(connection, given)
        assert [review for part in parts for review in part.reviews] == list(given.reviews)
        assert progress.pending(connection) == 5
        begun = ledger.begin(connection, parts[0])
        assert begun is not None
        assert (begun.attempts, begun.is_part, begun.accepted_at) == (1, True, None)
    assert state_of(engine, given.chunk_id) == (State.SPLIT, 1, True)


def test_what_was_finished_lately_is_counted(engine: Engine):
    given = chunk()
    with writing(engine) as connection:
        ledger.accept(connection, [given])
        ledger.finish(connection, given.chunk_id)
        assert progress.finished_since(connection, NOW) == 4
        assert progress.finished_since(connection, datetime.now(UTC) + timedelta(hours=1)) == 0
