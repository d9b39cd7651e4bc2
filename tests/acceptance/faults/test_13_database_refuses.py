"""Scenario 13: a right revoked, a table locked, a worker frozen in a transaction."""

import time
from pathlib import Path

import psutil
import pytest
from sqlalchemy import make_url, text

from iyu.schemas.contract.message import new_id
from iyu.schemas.sql.engine import writing
from tests.acceptance.faults.system import SETTINGS, System
from tests.harness.polling import poll
from tests.harness.reviews import made

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]

#: A table stays locked for longer than a process may take for its chunk.
LOCKED_SECONDS = float(SETTINGS["IYU_TASK_TIME_LIMIT"]) + 2


def test_a_right_is_revoked_and_a_table_locked(on_postgres: System):
    system = on_postgres
    name = f"worker_{new_id().replace('-', '')}"
    execute(
        system,
        f"CREATE ROLE {name} LOGIN",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name}",
        f"REVOKE INSERT ON day_deltas FROM {name}",
    )
    url = make_url(system.environment["IYU_DATABASE_URL"]).set(username=name)
    as_role = url.render_as_string(hide_password=False)
    system.beat()
    system.submit(made(2_000))
    worker = system.worker(accident="slow", IYU_DATABASE_URL=as_role, IYU_DATABASE_PATIENCE="1")
    poll(60, lambda: worker.output().count("message handed back") > 5)
    assert "permission denied for table day_deltas" in worker.output()
    execute(system, f"GRANT INSERT ON day_deltas TO {name}")
    granted = time.monotonic()
    poll(60, system.done)
    loaded = worker.output().count("is ready")
    with writing(system.engine) as connection:
        connection.execute(text("LOCK TABLE predictions IN ACCESS EXCLUSIVE MODE"))
        locked = time.monotonic()
        poll(60, lambda: time.monotonic() - locked > LOCKED_SECONDS)
    free = time.monotonic()
    assert free > granted
    system.judge("13 a right revoked, then a table locked past the time limit", free)
    assert worker.output().count("is ready") == loaded, "the lock killed a process"
    assert "killed its process" not in worker.output()
    execute(system, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_a_worker_that_freezes_in_a_transaction_keeps_no_locks(on_postgres: System, tmp_path: Path):
    system, flag = on_postgres, tmp_path / "frozen"
    system.beat()
    system.submit(made(1_000))
    frozen = system.start_accident("freeze_in_transaction", IYU_TEST_FLAG=str(flag))
    poll(120, flag.exists)
    poll(30, lambda: psutil.Process(frozen.pid).status() == psutil.STATUS_STOPPED)
    fault = time.monotonic()
    other = system.worker(IYU_HEARTBEAT_FILE=str(tmp_path / "other"))
    system.judge("13 a worker frozen in a transaction", fault, within=120)
    for process in (psutil.Process(frozen.pid), *psutil.Process(frozen.pid).children()):
        process.resume()
    assert other.running
    system.judge("13 the same worker awake again", fault, within=60)


def execute(system: System, *statements: str) -> None:
    with writing(system.engine) as connection:
        for statement in statements:
            connection.execute(text(statement))
