"""A review cannot steer the terminal that shows it, nor compute in a spreadsheet."""

import csv
import io
import json
import sys

import pytest
from rich.console import Console

from iyu.console.main import _with_notes
from iyu.console.terminal.coloured_heat import heated
from iyu.console.terminal.csv_output import disarmed_cells, write_csv
from iyu.console.terminal.output import make_table, print_json
from iyu.console.terminal.safe_text import visible, visible_line
from iyu.schemas.contract.errors import InputError

#: A colour, a window title, a C1 sequence, DEL, an order turned round, a line rewritten.
STEERING = "\x1b[31m\x1b]0;title\x07\x9b2J\x7f\u202e거꾸로\u2066\r\x00\u200f끝"
FORBIDDEN = ("\x1b", "\x07", "\x9b", "\x7f", "\u202e", "\u2066", "\r", "\x00", "\u200f")


class Terminal(io.StringIO):
    """Standard output that is a terminal."""

    def isatty(self) -> bool:
        return True


def held(text: str) -> list[str]:
    """Which characters that steer a terminal a text holds."""
    return [character for character in FORBIDDEN if character in text]


def test_every_control_character_is_replaced_by_one_that_shows():
    assert held(visible(STEERING)) == []
    assert len(visible(STEERING)) == len(STEERING)
    assert "거꾸로" in visible(STEERING)
    assert visible("한 줄\n둘째\t줄 👍🏽") == "한 줄\n둘째\t줄 👍🏽"
    assert "\n" not in visible_line("한 줄\n둘째")


def test_no_code_point_that_steers_is_left_out():
    every = "".join(map(chr, range(0x110000)))
    assert [c for c in visible(every) if not c.isprintable() and c < "\xa0"] == ["\t", "\n"]


@pytest.mark.parametrize("colour", [True, False])
def test_a_coloured_review_steers_nothing_and_its_heat_stays_in_place(colour):
    text = "\x1b\x07\r재미 없다"
    tokens = [{"start": 3, "end": 5, "heat": 1.0}]
    console = Console(file=io.StringIO(), force_terminal=False)
    shown = heated(text, tokens, colour=colour)
    console.print(shown)
    assert held(console.file.getvalue()) == []
    marked = [shown.plain[span.start : span.end] for span in shown.spans] or [shown.plain[3:7]]
    assert marked[0] in {"재미", "[++재"}


def test_a_table_steers_nothing_by_cells_names_or_title():
    console = Console(file=io.StringIO(), width=200)
    console.print(make_table((f"a{STEERING}",), [(STEERING,)], title=STEERING))
    assert held(console.file.getvalue()) == []


def test_an_error_steers_nothing():
    error = InputError(f"no column {STEERING}")
    assert held(_with_notes(str(error), error)) == []


def test_json_on_a_terminal_is_escaped_and_still_exact(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    print_json({"text": STEERING})
    shown = sys.stdout.getvalue()
    assert held(shown) == []
    assert json.loads(shown) == {"text": STEERING}


def test_csv_is_exact_for_a_program_and_visible_on_a_terminal(monkeypatch):
    texts = {}
    for kind in (io.StringIO, Terminal):
        monkeypatch.setattr(sys, "stdout", kind())
        write_csv(["text"], [(STEERING,), ("=1+1",)])
        texts[kind] = [row[0] for row in csv.reader(io.StringIO(sys.stdout.getvalue(), newline=""))]
    assert texts[io.StringIO] == ["text", STEERING, "=1+1"]
    assert texts[Terminal] == ["text", visible(STEERING), "=1+1"]


def test_csv_for_excel_has_a_mark_and_computes_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    write_csv(
        ["a", "b"], [("=HYPERLINK(1)", -0.5), ("@SUM", "+82"), ("-1", "좋다")], for_excel=True
    )
    written = sys.stdout.getvalue()
    assert written.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(written.removeprefix("\ufeff"))))
    assert rows[1:] == [["'=HYPERLINK(1)", "-0.5"], ["'@SUM", "'+82"], ["'-1", "좋다"]]
    assert disarmed_cells(["\t=1", None, 1]) == ["'\t=1", None, 1]
