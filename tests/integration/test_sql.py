"""Querying the database: every query we print or document works, and none can change a row."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, text
from typer.testing import CliRunner

from iyu.console.analysis.example_queries import QUESTIONS
from iyu.console.analysis.read_only_query import read_only_query
from iyu.console.main import app
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import text_hash, utc_now
from iyu.schemas.sql import tables, views
from iyu.schemas.sql.engine import connect, connected, upgrade, writing
from iyu.schemas.sql.keyword_days import from_explanations
from tests.harness.services import ROOT, child_environment, run_iyu

PAGE = (ROOT / "docs" / "sql.md").read_text()
#: Queries of the page, with the database that the line above names, if any.
DOCUMENTED = re.findall(r"(?:(PostgreSQL|SQLite):\n\n)?```sql\n(.*?);\n```", PAGE, re.DOTALL)
#: Queries of the start page, as given to `iyu sql`.
STARTING = re.findall(r'^iyu sql "(.*)"$', (ROOT / "README.md").read_text(), re.MULTILINE)


@pytest.fixture
def engine(database_url: str):
    engine = connect(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


def test_every_query_of_demo_and_page_works(engine):
    databases = [only for only, _ in DOCUMENTED]
    assert len(DOCUMENTED) == PAGE.count("```sql")
    assert databases.count("PostgreSQL") == databases.count("SQLite") >= 1
    for query in queries(engine.dialect.name):
        with read_only_query(engine, query) as rows:
            assert rows.fetchall() == []


def queries(dialect: str) -> list[str]:
    """Every query that demo, README and page print for a database."""
    return [
        *(query for _, query in QUESTIONS),
        *STARTING,
        *(query for only, query in DOCUMENTED if only.lower() in {"", dialect}),
    ]


#: Words of a review with their heat: 최고 outside the window, as in a long review.
NEGATIVE = {"배송": 0.125, "느리": -1.0, "은": -2.0, "끝": None}
POSITIVE = {"배송": 0.25, "최고": 1.5, "은": 0.5, "끝": None}
POS = {"배송": "NNG", "느리": "VA", "은": "JX", "끝": "NNG", "최고": "NNG"}
LONG_AGO = datetime(2026, 5, 1, 12, tzinfo=UTC)


def store(
    connection: Connection,
    source: str,
    name: str,
    words: dict[str, float | None],
    at: datetime,
    strength: float,
) -> None:
    """Store a review whose words have this heat, scored by the one model there is.

    strength: of each review another one, so that every order is one order.
    """
    written = " ".join(words)
    digest = text_hash(written)
    label = int("최고" in words)
    key = {"source": source, "review_id": name, "text_hash": digest}
    tokens = [
        {
            "surface": word,
            "pos": POS[word],
            "heat": heat and heat * strength,
            "start": written.index(word),
            "end": written.index(word) + len(word),
        }
        for word, heat in words.items()
    ]
    connection.execute(insert(tables.reviews).values(**key, text=written, submitted_at=at))
    scored = {
        "probability": 0.25 * strength + 0.5 * label, "logit": label - 0.5, "label": label,
        "token_count": len(words), "unknown_count": 0, "truncated": True, "scored_at": at,
    }  # fmt: skip
    connection.execute(insert(tables.predictions).values(**key, model_version="m1", **scored))
    explained = {"layers": "conv", "target": "logit", "tokens": tokens, "pad_heat": 0.0}
    connection.execute(
        insert(tables.explanations).values(**key, model_version="m1", method="gradcam", **explained)
    )


def fill(engine: Engine) -> None:
    """Sixty reviews of this week, three of half a year ago, and a dead letter."""
    now = utc_now().replace(microsecond=0) - timedelta(minutes=5)
    with writing(engine) as connection:
        connection.execute(
            insert(tables.models).values(
                model_version="m1", name="wide", created_at=now, activated_at=now, manifest={}
            )
        )
        for i in range(60):
            words = NEGATIVE if i % 3 else POSITIVE
            store(connection, "shop", f"{i:02}", words, now - timedelta(seconds=i), 1 + i / 100)
        for i in range(3):  # the first words of a film: none outside the window
            words = {word: heat for word, heat in NEGATIVE.items() if heat is not None}
            store(connection, "demo", f"film-{7 - i:02}", words, LONG_AGO, 0.9 - i / 100)
        connection.execute(
            insert(tables.dead_letters).values(
                fingerprint="x", reason="bad-message", seen=1, first_seen_at=now, last_seen_at=now
            )
        )
        summed = from_explanations(engine.dialect.name)
        names = ", ".join(column.name for column in tables.keyword_days.columns)
        connection.execute(text(f"INSERT INTO keyword_days ({names}) {summed}"))


@pytest.fixture
def filled(sqlite_url: str, postgres_url: str) -> Iterator[tuple[Engine, Engine]]:
    """The same rows on SQLite and on PostgreSQL."""
    with connected(sqlite_url) as sqlite, connected(postgres_url) as postgresql:
        for engine in (sqlite, postgresql):
            upgrade(engine)
            fill(engine)
        yield sqlite, postgresql


def comparable(value: Any) -> Any:
    """A value as both databases would write it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, str):
        return re.sub(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.\d+$", r"\1", value)
    return round(float(value), 9) if isinstance(value, int | float | Decimal) else value


def answer(engine: Engine, query: str) -> list[dict[str, Any]]:
    with read_only_query(engine, query) as rows:
        return [{name: comparable(v) for name, v in row._mapping.items()} for row in rows]


def test_both_databases_give_every_query_the_same_answer_and_never_an_empty_one(filled):
    sqlite, postgresql = filled
    pairs = list(zip(queries("sqlite"), queries("postgresql"), strict=True))
    assert len(pairs) > len(STARTING) + len(QUESTIONS) > len(QUESTIONS)
    for query, same in pairs:
        found, other = answer(sqlite, query), answer(postgresql, same)
        assert found, query
        assert found == other, query
        heats = [value for row in found for name, value in row.items() if "heat" in name]
        assert None not in heats, query


def test_the_command_names_every_view():
    shown = CliRunner().invoke(app, ["sql", "--help"]).output
    assert [name for name in views.NAMES if name not in shown] == []


def test_a_query_leaves_no_session_behind_that_cannot_write(engine):
    with read_only_query(engine, "SELECT 1 AS one") as rows:
        assert rows.scalar_one() == 1
    with pytest.raises(InputError), read_only_query(engine, "DELETE FROM reviews"):
        pass
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM reviews"))


def test_a_row_that_fails_later_is_one_line_too(engine):
    divide = {"sqlite": "json_extract(n, '$')", "postgresql": "1 / (n::int - 2)"}
    values = "SELECT '1' AS n UNION ALL SELECT '2' UNION ALL SELECT '{'"
    query = f"SELECT {divide[engine.dialect.name]} AS broken FROM ({values}) AS numbers"
    with (
        pytest.raises(InputError, match="refuses the query"),
        read_only_query(engine, query) as rows,
    ):
        rows.fetchall()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM reviews",
        "DROP VIEW token_heat",
        "INSERT INTO models SELECT * FROM models",
        "UPDATE chunks SET attempts = 0",
        "SELECT nothing FROM nowhere",
        "no SQL at all",
        "SELECT 1; DELETE FROM reviews",
        "SELECT '\udc80'",
        "",
    ],
)
def test_what_is_no_question_is_refused_in_one_line(engine, statement):
    with pytest.raises(InputError) as refused, read_only_query(engine, statement):
        pass
    assert "\n" not in str(refused.value)


def test_a_percent_sign_is_a_percent_sign(engine):
    with read_only_query(engine, "SELECT '100%s' AS a WHERE 'abc' LIKE 'a%'") as rows:
        assert rows.scalar_one() == "100%s"


def test_the_command_prints_json_and_csv(tmp_path, database_url):
    environment = child_environment(IYU_DATABASE_URL=database_url)
    assert run_iyu("db", "upgrade", environment=environment, cwd=tmp_path).returncode == 0
    query = "SELECT '재미' AS word, 0.5 AS heat, NULL AS label"
    as_json = run_iyu("sql", query, "--json", environment=environment, cwd=tmp_path)
    record = json.loads(as_json.stdout)
    assert (record["word"], record["heat"], record["label"]) == ("재미", 0.5, None)
    as_csv = run_iyu("sql", query, "--csv", environment=environment, cwd=tmp_path)
    assert as_csv.stdout.splitlines() == ["word,heat,label", "재미,0.5,"]
