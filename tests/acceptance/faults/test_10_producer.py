"""Scenario 10: the producer is killed in the middle of a large file; two more run at once."""

import csv
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading
from tests.acceptance.faults.oracle import SOURCE
from tests.acceptance.faults.system import System
from tests.harness.polling import poll
from tests.harness.reviews import made
from tests.harness.services import Process, iyu_command

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

REVIEWS = 100_000
KILL_AFTER_CHUNKS = 77


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("id", "text"))
        writer.writerows(made(REVIEWS))
    return path


def test_a_file_is_submitted_one_and_a_half_times_and_once_more(on_postgres: System, file: Path):
    system = on_postgres
    system.accepted.update(made(REVIEWS))
    system.changed.update(system.accepted)  # the same text again is another line of the feed
    killed = submit(system, file)
    poll(60, lambda: chunks(system) >= KILL_AFTER_CHUNKS, every=0.01)
    killed.signal(signal.SIGKILL)
    killed.wait(10)
    assert chunks(system) < REVIEWS / 512

    fault = time.monotonic()
    again = submit(system, file), submit(system, file)
    system.beat()
    system.worker(IYU_CHUNK_SIZE="512")
    for process in again:
        assert process.wait(300) == 0, process.output()
    system.judge("10 producer killed, then two with the same file at once", fault, within=300)


def submit(system: System, file: Path) -> Process:
    """Start `iyu submit`."""
    environment = system.environment | {"IYU_CHUNK_SIZE": "512"}
    return system.start(iyu_command("submit", str(file), "--source", SOURCE), environment)


def chunks(system: System) -> int:
    """Chunks in the ledger."""
    with reading(system.engine) as connection:
        return connection.execute(select(func.count()).select_from(tables.chunks)).scalar_one()
