"""Times that options take, JSON for programs, and files to write."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from rich.console import Console
from sqlalchemy.sql.elements import quoted_name

from iyu.console.terminal.options import parse_utc_time
from iyu.console.terminal.output import make_table, open_to_write, print_json
from iyu.schemas.contract.errors import InputError


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T12:30:00", datetime(2026, 5, 1, 12, 30, tzinfo=UTC)),
        ("2026-05-01 12:30:00", datetime(2026, 5, 1, 12, 30, tzinfo=UTC)),
        ("2026-05-01T12:30:00Z", datetime(2026, 5, 1, 12, 30, tzinfo=UTC)),
        ("2026-05-01T12:30:00+09:00", datetime(2026, 5, 1, 3, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_in_utc_unless_it_has_an_offset(text: str, moment: datetime):
    assert parse_utc_time(text) == moment


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "0001-01-01T00:00:00+09:00"])
def test_what_is_no_time_is_wrong_use(text: str):
    with pytest.raises(typer.BadParameter, match="give for example 2026-05-01"):
        parse_utc_time(text)


def test_json_is_utf8_and_takes_what_databases_give(capfdbinary):
    value = {quoted_name("word", None): "재미", "sum": Decimal("0.5"), "at": datetime(2026, 5, 1)}
    print_json(value)
    printed = capfdbinary.readouterr().out
    assert "재미".encode() in printed
    assert json.loads(printed) == {"word": "재미", "sum": 0.5, "at": "2026-05-01 00:00:00"}


def test_a_table_shows_brackets_of_a_review_as_they_are(capsys):
    Console(width=80).print(make_table(("a", "b"), [("[red]좋다[/]", None), ("x", 0.123456)]))
    shown = capsys.readouterr().out
    assert "[red]좋다[/]" in shown
    assert "0.1235" in shown


def test_a_file_that_cannot_be_written_is_wrong_input(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be written"), open_to_write(tmp_path / "no/a"):
        pass
