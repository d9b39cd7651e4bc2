"""The scripted reviews, once for each database; no test here changes them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from iyu.console.web.read_session import Database
from iyu.schemas.sql.engine import connect, upgrade
from tests.harness.postgres_server import PostgresServer
from tests.harness.web_page import WebPage, served
from tests.harness.web_reviews import store_reviews


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def reviews_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A database of each kind with the reviews in it."""
    folder: Path = tmp_path_factory.mktemp("web")
    url = f"sqlite:///{folder / 'iyu.db'}"
    server: PostgresServer | None = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        url = server.create_database()
    engine: Engine = connect(url)
    upgrade(engine)
    store_reviews(engine)
    engine.dispose()
    yield url
    if server:
        server.drop_database(url)


@pytest.fixture(scope="session")
def database(reviews_url: str) -> Iterator[Database]:
    """The page's way to it."""
    database = Database(reviews_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def page(reviews_url: str) -> Iterator[WebPage]:
    """The page over it."""
    with served(reviews_url) as page:
        yield page
