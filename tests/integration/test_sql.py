"""Asking the database: every query we print or document works, and none can change a row."""

import json
import re

import pytest

from iyu.console.analysis.example_queries import QUESTIONS
from iyu.console.analysis.read_only_query import read_only_query
from iyu.schemas.contract.errors import InputError
from iyu.schemas.sql.engine import connect, upgrade
from tests.harness.services import ROOT, child_environment, run_iyu

PAGE = (ROOT / "docs" / "sql.md").read_text()
#: Queries of the page, with the database that the line above names, if any.
DOCUMENTED = re.findall(r"(?:(PostgreSQL|SQLite):\n\n)?```sql\n(.*?);\n```", PAGE, re.DOTALL)


@pytest.fixture
def engine(database_url: str):
    engine = connect(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


def test_every_query_of_demo_and_page_works(engine):
    queries = [query for _, query in QUESTIONS] + [
        query for only, query in DOCUMENTED if only.lower() in {"", engine.dialect.name}
    ]
    databases = [only for only, _ in DOCUMENTED]
    assert len(DOCUMENTED) == PAGE.count("```sql")
    assert databases.count("PostgreSQL") == databases.count("SQLite") >= 1
    for query in queries:
        with read_only_query(engine, query) as rows:
            assert rows.fetchall() == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM reviews",
        "DROP VIEW token_heat",
        "INSERT INTO models SELECT * FROM models",
        "UPDATE chunks SET attempts = 0",
        "SELECT nothing FROM nowhere",
        "no SQL at all",
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
