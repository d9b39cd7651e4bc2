"""Querying the database: every query we print or document works, and none can change a row."""

import json

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from iyu.console.analysis.example_queries import QUESTIONS
from iyu.console.analysis.read_only_query import read_only_query
from iyu.console.main import app
from iyu.schemas.contract.errors import InputError
from iyu.schemas.sql import views
from iyu.schemas.sql.engine import writing
from tests.harness.documents import statements
from tests.harness.services import ROOT, child_environment, run_iyu

PAGE = (ROOT / "docs" / "sql.md").read_text()
DOCUMENTED = [statement for statement in statements() if statement.page == "sql.md"]


def test_every_query_of_demo_and_page_works(engine):
    queries = [query for _, query in QUESTIONS] + [
        statement.sql
        for statement in DOCUMENTED
        if statement.dialect in {None, engine.dialect.name}
    ]
    databases = [statement.dialect for statement in DOCUMENTED]
    assert len(DOCUMENTED) == PAGE.count("```sql")
    assert databases.count("postgresql") == databases.count("sqlite") >= 1
    for query in queries:
        with read_only_query(engine, query) as rows:
            assert rows.fetchall() == []


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
