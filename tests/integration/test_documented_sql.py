"""Every query of README and the documents has an answer, the same on both databases.

10,000 reviews, scored by the model that ships: those of the file that IYU_TEST_REVIEWS names, or
made ones.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Engine, insert

from iyu.console.analysis.example_queries import QUESTIONS
from iyu.console.analysis.read_only_query import read_only_query
from iyu.console.demo.reviews import write_reviews
from iyu.producer.readers.files import read_rows
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Reason, Review, admit, text_hash, utc_now
from iyu.schemas.ledger.dead_letters import bury_review
from iyu.schemas.sql.engine import connect, upgrade, writing
from iyu.schemas.sql.tables import labels
from iyu.worker.rows import write_chunk
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.scoring import Prediction, Scorer
from tests.harness.documents import PAGES, statements
from tests.harness.postgres_server import PostgresServer
from tests.harness.reviews import varied

REVIEWS: Final = 10_000
CHUNK: Final = 500
#: Chunks come in twice a day, an hour off the round times that queries compare with.
APART: Final = timedelta(hours=12)
#: When the reviews of the demo came in: before the moment that docs/sql.md gives as an example.
DEMO_TIME: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Question:
    """One question, as a query for each database."""

    page: str
    sqlite: str
    postgresql: str

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.sqlite.split())[:60]}"


def questions() -> Iterator[Question]:
    """A query for SQLite follows the one for PostgreSQL that asks the same."""
    found = [statement for statement in statements() if statement.is_query]
    by_dialect = {
        name: [statement for statement in found if statement.dialect == name]
        for name in ("postgresql", "sqlite")
    }
    for statement in found:
        if statement.dialect is None:
            yield Question(statement.page, statement.sql, statement.sql)
    for one, other in zip(by_dialect["postgresql"], by_dialect["sqlite"], strict=True):
        yield Question(one.page, other.sql, one.sql)
    for question, query in QUESTIONS:
        yield Question(question, query, query)


ALL: Final = list(questions())


@dataclass(frozen=True)
class Databases:
    """The same rows in both."""

    sqlite: Engine
    postgresql: Engine


@pytest.fixture(scope="module")
def databases(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("documented")
    scored = score(folder)
    url = postgres.create_database()
    both = Databases(connect(f"sqlite:///{folder / 'iyu.db'}"), connect(url))
    for engine in (both.sqlite, both.postgresql):
        fill(engine, *scored)
    yield both
    for engine in (both.sqlite, both.postgresql):
        engine.dispose()
    postgres.drop_database(url)


def score(folder: Path) -> tuple[str, dict[str, Any], list[tuple[Chunk, list[Prediction]]]]:
    scorer = Scorer.load("wide")
    chunks = list(chunks_of_reviews(folder))
    scored = [(chunk, scorer.score([r.text for r in chunk.reviews])) for chunk in chunks]
    return scorer.artifact.model_version, scorer.artifact.manifest, scored


def chunks_of_reviews(folder: Path) -> Iterator[Chunk]:
    """The demo's reviews, and those of two sources by turns over the last ten days."""
    write_reviews(folder / "demo.tsv")
    rows = [row for row in read_rows(folder / "demo.tsv") if isinstance(row, tuple)]
    demo = [review for row in rows if isinstance(review := admit(*row), Review)]
    yield Chunk(new_id(), "demo", tuple(demo), DEMO_TIME)
    reviews = varied(REVIEWS - len(demo))
    now = utc_now()
    for number, begin in enumerate(range(0, len(reviews), CHUNK)):
        part = tuple(reviews[begin : begin + CHUNK])
        moment = now - number * APART - timedelta(hours=1)
        yield Chunk(new_id(), ("shop", "films")[number % 2], part, moment)


def labels_of(chunk: Chunk, predictions: list[Prediction]) -> list[dict[str, Any]]:
    """Labels that came later, of which one in five contradicts the model."""
    return [
        {
            "source": chunk.source, "review_id": review.review_id,
            "label": prediction.label ^ int(number % 5 == 0),
            "text_hash": text_hash(review.text), "imported_at": DEMO_TIME,
        }
        for number, (review, prediction) in enumerate(zip(chunk.reviews, predictions, strict=True))
    ]  # fmt: skip


def fill(
    engine: Engine,
    version: str,
    manifest: dict[str, Any],
    scored: Sequence[tuple[Chunk, list[Prediction]]],
) -> None:
    upgrade(engine)
    with writing(engine) as connection:
        write_chunk.register_model(connection, version, manifest)
    for chunk, predictions in scored:
        with writing(engine) as connection:
            write_chunk.write(connection, chunk, predictions, version)
    with writing(engine) as connection:
        connection.execute(insert(labels), labels_of(*scored[1]))
    add_all_deltas(engine)
    with writing(engine) as connection:
        for key, reason in (("broken", Reason.SCORING_FAILED), ("deadly", Reason.KILLED_WORKER)):
            review = Review(key, "글")
            bury_review(connection, scored[0][0], review, reason, "ValueError")


def answer(engine: Engine, query: str) -> tuple[list[str], list[Row]]:
    with read_only_query(engine, query) as rows:
        names = list(rows.keys())
        return names, [tuple(map(comparable, names, row)) for row in rows]


def comparable(name: str, value: Any) -> Any:
    """One form for both databases: SQLite keeps times as text, PostgreSQL adds integers exactly."""
    if isinstance(value, Decimal):
        return float(value)
    if name.endswith("_at") and isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if name == "xid":  # a transaction's own number, 0 on SQLite
        return 0
    if name == "day":
        return str(value)
    return value


def ranked_columns(query: str) -> list[str]:
    """What the outermost ORDER BY names."""
    order = re.findall(r"ORDER BY ([^()]*?)(?:\s+LIMIT \d+)?\s*$", query)
    return re.findall(r"\w+", order[-1].replace(" DESC", "")) if order else []


def test_every_statement_of_every_page_is_found_and_all_queries_are_run():
    found = list(statements())
    blocks = sum(page.read_text().count("```sql") for page in PAGES)
    commands = sum(page.read_text().count('iyu sql "SELECT …') for page in PAGES)
    written = sum(page.read_text().count('iyu sql "') for page in PAGES)
    assert len(found) == blocks + written - commands
    others = [statement for statement in found if not statement.is_query]
    assert {statement.page for statement in others} == {"performance.md"}  # tests/…/test_sizing.py
    assert {"README.md", "sql.md"} <= {question.page for question in ALL}


@pytest.mark.parametrize("question", ALL, ids=str)
def test_a_query_has_an_answer_the_same_on_both_databases(databases: Databases, question: Question):
    names, rows = answer(databases.sqlite, question.sqlite)
    assert rows
    for column in set(ranked_columns(question.sqlite)) & set(names):
        assert None not in [row[names.index(column)] for row in rows], column
    other_names, others = answer(databases.postgresql, question.postgresql)
    assert names == other_names
    assert len(rows) == len(others)
    for row, other in zip(rows, others, strict=True):
        assert row == tuple(map(_as_sqlite_has_it, other))


def _as_sqlite_has_it(value: object) -> object:
    """A day as its text, and a fraction as near as sums in another order are."""
    if type(value) is date:
        return value.isoformat()
    return pytest.approx(value) if isinstance(value, float) else value
