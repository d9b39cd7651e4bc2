"""Scenario 18: the tables are migrated under load; workers of the version before go on meanwhile.

The version before is taken out of git: the commit on the main line that brought the newest
migration, less one.
"""

import csv
import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Final

import pytest

from iyu.console.operations.recount_days import days_to_recount, recount_days
from iyu.schemas.contract.message import Queue
from iyu.schemas.sql.engine import migration_scripts, upgrade
from iyu.schemas.sql.migrations import versions
from tests.acceptance.faults.oracle import SOURCE
from tests.acceptance.faults.system import System
from tests.harness.polling import poll
from tests.harness.reviews import made
from tests.harness.services import ROOT, iyu_command, run_iyu

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

PORTIONS: Final = ("schemas", "producer", "worker", "console")
#: The oracle's, whatever the version before had.
MODEL: Final = ROOT / "worker/iyu/worker/artifacts/source"
#: Reviews that the version before takes, what comes after the migration, and what comes again then.
BEFORE, AFTER, CHANGED = 9_000, 1_000, 100


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where Python finds the version before, as variables of its environment."""
    folder = tmp_path_factory.mktemp("old")
    commit = os.environ.get("IYU_TEST_OLD_COMMIT") or commit_before(newest_migration())
    packed = git("archive", commit, *PORTIONS)
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return {"PYTHONPATH": os.pathsep.join(str(folder / portion) for portion in PORTIONS)}


def newest_migration() -> Path:
    head = migration_scripts().get_current_head()
    [file] = Path(versions.__path__[0]).glob(f"{head}_*.py")
    return file


def commit_before(migration: Path) -> str:
    """Return the state of the main line before a migration came in."""
    added = git("log", "-1", "--first-parent", "-m", "--diff-filter=A", "--format=%H", "--",
                str(migration.relative_to(ROOT)))  # fmt: skip
    if not added.strip():
        pytest.skip("the version before is not in git's history here")
    return f"{added.decode().strip()}^1"


def git(*arguments: str) -> bytes:
    """What git says; skips where there is no git, or no history."""
    try:
        return subprocess.run(
            ["git", "-C", ROOT, *arguments], check=True, capture_output=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the version before cannot be taken out of git here: {error}")


@pytest.fixture
def old_system(
    make_system: Callable[..., System], database_url: str, old_code: dict[str, str], tmp_path: Path
) -> System:
    """An installation whose tables the version before has made, with its reviews waiting."""
    system = make_system(database_url, tables=False)
    system.environment |= {"IYU_METHODS": "occlusion"}  # costly: the migration meets work under way
    waiting = made(BEFORE)
    file = tmp_path / "reviews.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([("id", "text"), *waiting])
    for command in (("db", "upgrade"), ("submit", str(file), "--source", SOURCE)):
        done = run_iyu(*command, environment=system.environment | old_code, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    system.accepted.update(waiting)
    return system


def test_an_upgrade_under_load(old_system: System, old_code: dict[str, str], tmp_path: Path):
    system = old_system
    old = system.start(
        iyu_command("worker", "--concurrency", "1"),
        system.environment | old_code | {"IYU_MODEL": str(MODEL)},
    )
    system.wait_until_loaded(old)
    poll(60, system.done)
    upgrade(system.engine)
    migrated, before = time.monotonic(), system.done()
    assert before < BEFORE, "all was scored before the migration"
    poll(60, lambda: system.done() > before)
    system.beat()
    system.worker(IYU_HEARTBEAT_FILE=str(tmp_path / "new"))
    system.submit(made(AFTER, first=BEFORE))
    changed = [(key, f"{words} 다시") for key, words in made(CHANGED)]
    system.submit(changed, queue=Queue.LIVE)  # over rows of the version before
    old.signal(signal.SIGTERM)
    assert old.wait(60) == 0
    poll(180, lambda: not system.pending())
    list(recount_days(system.engine, days_to_recount(system.engine)))  # as operations.md says
    system.judge("18 an upgrade under load", migrated, within=180)
    assert "Traceback" not in old.output()
    assert "handed back" not in old.output()
