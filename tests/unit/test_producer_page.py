"""docs/producer.md describes the API as it is: every argument, field, error and reason."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from iyu.producer import Producer, Receipt, read_rows
from iyu.schemas.contract import errors
from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.review import Reason

PAGE = Path(__file__).parent.parent.parent / "docs" / "producer.md"


def first_cells(heading: str) -> set[str]:
    """The names in the first column of the table whose first heading this is."""
    text = PAGE.read_text(encoding="utf-8")
    table = re.search(rf"^\| {re.escape(heading)} \|.*?\n\n", text, re.MULTILINE | re.DOTALL)
    assert table is not None, heading
    rows = table[0].strip().splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`(\w[\w-]*)`", row.split("|")[1])}


@pytest.mark.parametrize(
    ("heading", "function"),
    [
        ("argument", Producer.__init__),
        ("argument of `submit_many`", Producer.submit_many),
        ("argument of `forget`", Producer.forget),
        ("argument of `read_rows`", read_rows),
    ],
)
def test_every_argument_is_described_and_no_other(heading, function):
    assert first_cells(heading) == set(inspect.signature(function).parameters) - {"self"}


def test_every_call_is_described():
    calls = {
        name
        for name, what in vars(Producer).items()
        if inspect.isfunction(what) and not name.startswith("_")
    }
    text = PAGE.read_text(encoding="utf-8")
    assert calls == set(re.findall(r"^\| `(\w+)\([^`]*\)` \|", text, re.MULTILINE))


def test_every_field_of_the_receipt_is_described():
    assert first_cells("field") == {field.name for field in fields(Receipt)}


def test_every_error_a_producer_can_meet_is_described():
    raised = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, IyuError)
    }
    of_a_worker = {"ArtifactError", "MessageError"}
    assert first_cells("error") == raised - of_a_worker - {"IyuError"}


def test_reasons_that_are_described_exist():
    described = first_cells("reason")
    assert len(described) == 9
    assert described <= set(Reason)
