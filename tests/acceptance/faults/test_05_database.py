"""Scenario 5: the database is down for longer than the visibility timeout, or locked."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.faults.system import SETTINGS, System
from tests.harness.polling import poll
from tests.harness.postgres_server import PostgresServer
from tests.harness.reviews import made

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]

DOWN_SECONDS = float(SETTINGS["IYU_VISIBILITY_TIMEOUT"]) + 3


def test_postgresql_is_down_for_longer_than_the_visibility_timeout(
    on_postgres: System, postgres: PostgresServer
):
    system = on_postgres
    system.beat()
    worker = system.worker(accident="slow", IYU_DATABASE_PATIENCE="2")
    system.submit(made(3_000))
    poll(60, system.done)
    down = time.monotonic()
    postgres.stop()
    poll(120, lambda: time.monotonic() - down > DOWN_SECONDS)
    poll(60, lambda: "message handed back" in worker.output())
    postgres.start()
    back = time.monotonic()
    system.judge("5 PostgreSQL down past the visibility timeout", back)
    assert "killed its process" not in worker.output()
    assert "published again" not in worker.output().split("handed back")[0]


def test_sqlite_is_locked_by_another_writer(on_sqlite: System, sqlite_url: str):
    system = on_sqlite
    # The lock is there before the first write: beside a busy worker it might not get its turn.
    system.submit(made(3_000))
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        worker = system.worker(IYU_DATABASE_PATIENCE="2")
        poll(60, lambda: "message handed back" in worker.output())
        locked = time.monotonic()
        system.beat()  # sweeps wait for the lock as well, and would take the worker's time
        poll(120, lambda: time.monotonic() - locked > DOWN_SECONDS)
        poll(60, lambda: "this sweep did nothing" in worker.output())
        other.execute("ROLLBACK")
    free = time.monotonic()
    system.judge("5 SQLite locked past the visibility timeout", free)
    assert "killed its process" not in worker.output()
