"""A worker refuses tables that are older, and goes on with newer ones that were only added to."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text, update

from iyu.schemas.contract.errors import DatabaseOutdated
from iyu.schemas.sql.engine import connect, writing
from iyu.schemas.sql.revision import check_revision
from iyu.schemas.sql.tables import table_readers
from tests.harness.services import child_environment, run_iyu
from tests.integration.test_migrations import alembic_config, revisions


def set_revision(engine: Engine, revision: str, oldest_reader: str) -> None:
    """As a migration would leave it that this code does not know."""
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": revision})
        connection.execute(update(table_readers).values(oldest_revision=oldest_reader))


def test_tables_of_this_version_are_used(engine: Engine):
    check_revision(engine)


def test_older_tables_are_refused_in_one_line(engine: Engine):
    with writing(engine) as connection:
        command.downgrade(alembic_config(connection), revisions()[-2])
    with pytest.raises(DatabaseOutdated, match="run: iyu db upgrade") as caught:
        check_revision(engine)
    assert "\n" not in str(caught.value)


def test_no_tables_are_refused(database_url: str):
    engine = connect(database_url)
    with pytest.raises(DatabaseOutdated, match="run: iyu db upgrade"):
        check_revision(engine)
    engine.dispose()


def test_newer_tables_that_were_only_added_to_are_used(engine: Engine):
    set_revision(engine, "9999", oldest_reader=revisions()[-1])
    check_revision(engine)
    set_revision(engine, "9999", oldest_reader="0001")
    check_revision(engine)


def test_newer_tables_that_were_changed_are_refused(engine: Engine):
    set_revision(engine, "9999", oldest_reader="9998")
    with pytest.raises(DatabaseOutdated, match="start a worker of the newer iyu"):
        check_revision(engine)


def test_a_worker_on_older_tables_ends_with_one_line(sqlite_url: str, tmp_path: Path):
    engine = connect(sqlite_url)
    with writing(engine) as connection:
        command.upgrade(alembic_config(connection), revisions()[-2])
    engine.dispose()
    ended = run_iyu(
        "worker", environment=child_environment(IYU_DATABASE_URL=sqlite_url), cwd=tmp_path
    )
    assert ended.returncode == 2
    assert "run: iyu db upgrade" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
