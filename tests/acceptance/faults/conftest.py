"""Fixtures of the fault suite, and the lines of the table it prints."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from iyu.schemas.sql.engine import connect, upgrade
from tests.acceptance.faults.oracle import Oracle, Verdict
from tests.acceptance.faults.system import SETTINGS, System
from tests.harness.services import Process, RedisServer, child_environment


def line(scenario: str, database: str, verdict: Verdict, seconds: float) -> str:
    """A line of the table of faults."""
    return (
        f"| {scenario} | {database} | {verdict.accepted:,} | {len(verdict.lost)} "
        f"| {len(verdict.duplicated)} | {len(verdict.wrong)} | {len(verdict.dead)} "
        f"| {seconds:.1f} s |"
    )


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """An oracle with the shipped model."""
    from iyu.worker.scoring import Scorer

    return Oracle(Scorer.load("source"))


@pytest.fixture
def make_system(
    redis_server: RedisServer,
    oracle: Oracle,
    start: Callable[..., Process],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., System]]:
    """Build an installation on a database; tables=False leaves it as it is."""
    engines = []

    def report(*found: Any) -> None:
        request.node.user_properties.append(("fault", line(*found)))

    def make(database_url: str, *, tables: bool = True) -> System:
        engines.append(connect(database_url))
        if tables:
            upgrade(engines[-1])
        environment = child_environment(
            IYU_BROKER_URL=redis_server.url,
            IYU_DATABASE_URL=database_url,
            IYU_HEARTBEAT_FILE=str(tmp_path / "heartbeat"),
            **SETTINGS,
        )
        return System(redis_server, engines[-1], environment, oracle, report, start)

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def on_postgres(make_system: Callable[..., System], postgres_url: str) -> System:
    """An installation on PostgreSQL."""
    return make_system(postgres_url)


@pytest.fixture
def on_sqlite(make_system: Callable[..., System], sqlite_url: str) -> System:
    """An installation on SQLite."""
    return make_system(sqlite_url)


@pytest.fixture
def system(make_system: Callable[..., System], database_url: str) -> System:
    """An installation, once on each database."""
    return make_system(database_url)
