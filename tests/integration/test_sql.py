"""Querying the database: every query we print or document works, and none can change a row."""

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from iyu.console.analysis.example_queries import QUESTIONS
from iyu.console.analysis.read_only_query import read_only_query
from iyu.console.main import app
from iyu.schemas.contract.errors import InputError
from iyu.schemas.sql import views
from iyu.schemas.sql.engine import connected, reading, upgrade, writing
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


WRITES_ON_POSTGRESQL = (
    "SELECT nextval('probe')",
    "SELECT setval('probe', 7)",
    "SELECT * FROM models FOR UPDATE",
    "SELECT lo_creat(-1)",
    "SELECT lo_import('/etc/hostname')",
    "COMMIT",
    "SET TRANSACTION READ WRITE",
    "SELECT set_config('transaction_read_only', 'off', true)",
    "COPY models TO PROGRAM 'cat'",
    "SELECT 1; COMMIT; DELETE FROM models",
)


@pytest.mark.parametrize("statement", WRITES_ON_POSTGRESQL)
def test_a_superusers_query_changes_nothing_on_postgresql(postgres_url, statement):
    with connected(postgres_url) as engine:
        upgrade(engine)
        with writing(engine) as connection:
            connection.execute(text("CREATE SEQUENCE probe"))
        with pytest.raises(InputError), read_only_query(engine, statement) as rows:
            rows.fetchall()
        with reading(engine) as connection:
            assert connection.execute(text("SELECT last_value, is_called FROM probe")).one() == (
                1,
                False,
            )


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH DATABASE '{folder}/planted.db' AS planted",
        "VACUUM INTO '{folder}/planted.db'",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA writable_schema = ON",
        "SELECT load_extension('nothing')",
        "SELECT secret FROM webhook_secrets",
        "SELECT * FROM gateway_tokens",
        "COMMIT",
    ],
)
def test_a_query_on_sqlite_touches_no_file_and_reads_no_secret(sqlite_url, tmp_path, statement):
    with connected(sqlite_url) as engine:
        upgrade(engine)
        query = statement.format(folder=tmp_path)
        with pytest.raises(InputError), read_only_query(engine, query) as rows:
            rows.fetchall()
        with read_only_query(engine, "PRAGMA table_info(reviews)") as rows:
            assert "text" in [row.name for row in rows]
    assert not (tmp_path / "planted.db").exists()


ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT MAX(i) FROM n",
    # The first row takes the server's own time limit away.
    "postgresql": "SELECT set_config('statement_timeout', '0', false) UNION ALL "
    "SELECT pg_sleep(600)::text",
}


def test_a_query_without_end_is_stopped_in_one_line(engine):
    with (
        pytest.raises(InputError, match=r"stopped after 0\.5 s"),
        read_only_query(engine, ENDLESS[engine.dialect.name], seconds=0.5) as rows,
    ):
        rows.fetchall()
    with read_only_query(engine, "SELECT 1 AS one", seconds=60) as rows:
        assert rows.scalar_one() == 1


@pytest.fixture
def reader_url(postgres, postgres_url):
    """The address of a role made by what `iyu db reader-role` prints."""
    with connected(postgres_url) as engine:
        upgrade(engine)
        printed = CliRunner().invoke(
            app, ["db", "reader-role", "iyu reader", "--database", postgres_url]
        )
        assert printed.exit_code == 0
        with writing(engine) as connection:
            for statement in printed.output.split(";\n")[:-1]:
                connection.exec_driver_sql(statement)
        yield postgres_url.replace("postgres@", "iyu%20reader@")
        with writing(engine) as connection:
            connection.exec_driver_sql('DROP OWNED BY "iyu reader"')
            connection.exec_driver_sql('DROP ROLE "iyu reader"')


def test_the_reader_role_reads_all_but_secrets_and_acts_on_nothing(reader_url, monkeypatch):
    monkeypatch.setenv("IYU_READER_DATABASE_URL", reader_url)
    monkeypatch.setenv("IYU_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    for name in views.NAMES:
        assert CliRunner().invoke(app, ["sql", f"SELECT * FROM {name}"]).exit_code == 0
    for refused in (
        "SELECT * FROM webhook_secrets",
        "SELECT * FROM gateway_tokens",
        "SELECT pg_reload_conf()",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT nextval('dead_letters_id_seq')",
    ):
        shown = CliRunner().invoke(app, ["sql", refused])
        assert (shown.exit_code, shown.output.count("\n")) == (2, 1), refused
    with connected(reader_url) as engine, writing(engine) as connection:
        connection.execute(text("SET TRANSACTION READ WRITE"))
        with pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text("DELETE FROM reviews"))


def test_sqlite_has_no_reader_role_and_says_so(sqlite_url):
    shown = CliRunner().invoke(app, ["db", "reader-role", "reader", "--database", sqlite_url])
    assert shown.exit_code == 2
    assert "SQLite has no roles" in shown.output
