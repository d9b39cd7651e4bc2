"""Scenario 17: the disk under the database is full, and has room again."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from iyu.schemas.contract.errors import DatabaseUnusable
from iyu.schemas.sql.engine import connected
from tests.acceptance.faults.system import System
from tests.harness.polling import poll
from tests.harness.postgres_server import PostgresServer
from tests.harness.reviews import made

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]

#: A database with 1,000 reviews that wait fits into it, their scores do not.
SQLITE_DISK, POSTGRESQL_DISK = "6m", "24m"


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """A disk in memory; not under pytest's folder, which PostgreSQL's user may not enter."""
    folder = Path(tempfile.mkdtemp(prefix="iyu-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", str(folder)]
    try:
        if (
            shutil.which("mount") is None
            or subprocess.run(command, check=False, capture_output=True).returncode
        ):
            pytest.skip("mounting a small disk needs root and the right to mount")
        yield folder
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()


@pytest.fixture
def sqlite_on_disk() -> Iterator[tuple[Path, str]]:
    """The disk, and a database on it."""
    with small_disk(SQLITE_DISK) as disk:
        yield disk, f"sqlite:///{disk / 'iyu.db'}"


@pytest.fixture
def postgres_on_disk(postgres: PostgresServer) -> Iterator[tuple[Path, str]]:
    """The disk, and a database whose tables lie on it."""
    url = postgres.create_database()
    name = url.rpartition("/")[2]
    with small_disk(POSTGRESQL_DISK) as disk, connected(f"{postgres.server_url}/postgres") as all_:
        tables = disk / "tables"
        tables.mkdir()
        shutil.chown(tables, postgres.folder.stat().st_uid)
        by_itself = all_.execution_options(isolation_level="AUTOCOMMIT")
        with by_itself.connect() as connection:
            connection.execute(text(f"CREATE TABLESPACE small LOCATION '{tables}'"))
            connection.execute(text(f"ALTER DATABASE {name} SET TABLESPACE small"))
            yield disk, url
            postgres.drop_database(url)
            connection.execute(text("DROP TABLESPACE small"))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_disk_of_the_database_is_full(
    kind: str, make_system: Callable[..., System], request: pytest.FixtureRequest
):
    disk, url = request.getfixturevalue(f"{kind}_on_disk")
    system = make_system(url)
    system.beat()
    system.submit(made(1_000))
    filler = disk / "filler"
    with pytest.raises(OSError, match="space"):
        fill(filler)
    with pytest.raises(DatabaseUnusable, match="disk space"):
        system.submit(made(30_000, first=1_000))
    worker = system.worker(IYU_DATABASE_PATIENCE="1")
    poll(60, lambda: worker.output().count("message handed back") > 5)
    filler.unlink()
    freed = time.monotonic()
    system.judge("17 the disk of the database is full", freed)
    assert "disk" in worker.output()
    assert "killed its process" not in worker.output()
    assert "Traceback" not in worker.output()


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as opened:
        while True:
            opened.write(bytes(4_096))
