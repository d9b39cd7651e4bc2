"""What a program that only submits reviews has to load: parts, not times."""

import subprocess
import sys

import pytest

import iyu.producer

#: Loaded where something is published, migrated, read as Parquet or shown on a terminal.
NEVER = {"alembic", "celery", "kombu", "keras", "mako", "numpy", "pandas", "psycopg", "pyarrow",
         "redis", "rich", "sqlalchemy", "tenacity", "tensorflow", "typer"}  # fmt: skip
#: Loaded with `Producer`: its settings.
WITH_THE_PRODUCER = {"pydantic", "pydantic_settings"}


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import iyu.producer", NEVER | WITH_THE_PRODUCER),
        ("from iyu.producer import BrokerFull, Rejection, read_rows", NEVER | WITH_THE_PRODUCER),
        ("from iyu.producer import Producer", NEVER),
    ],
)
def test_heavy_libraries_are_loaded_when_needed(statement: str, heavy: set[str]):
    assert loaded_by(statement) & heavy == set()


def test_the_command_line_loads_no_heavy_library_before_it_knows_the_command():
    assert loaded_by("import iyu.console.main") & (NEVER - {"rich", "typer"}) == set()


def test_a_producer_without_a_ledger_needs_no_database_library():
    statement = (
        "from types import SimpleNamespace; from iyu.producer import Producer; "
        "broker = SimpleNamespace(free_bytes=int, publish=print, close=int); "
        "Producer(source='shop', ledger=False, broker=broker).close()"
    )
    assert loaded_by(statement) & {"alembic", "psycopg", "sqlalchemy"} == set()


@pytest.mark.parametrize("name", iyu.producer.__all__)
def test_every_public_name_is_there(name: str):
    assert getattr(iyu.producer, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Produser"):
        iyu.producer.Produser  # noqa: B018
