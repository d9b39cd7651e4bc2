"""docs/architecture.md names the rooms that exist, all of them, and no others."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PORTIONS = ("schemas", "producer", "worker", "console")
ROOTS = (*PORTIONS, "tests", "benchmarks", "examples")
NAMED = frozenset(re.findall(r"`((?:schemas|producer|worker|console|tests|benchmarks|examples|docs)"
                             r"/[\w./-]*)`", TEXT))  # fmt: skip


def rooms() -> set[str]:
    """Every folder that holds Python files, as the document spells it."""
    files = (file for root in ROOTS for file in (ROOT / root).rglob("*.py"))
    return {f"{file.parent.relative_to(ROOT).as_posix()}/" for file in files}


def test_every_path_that_is_named_exists():
    assert len(NAMED) > 50
    assert [path for path in sorted(NAMED) if not (ROOT / path).exists()] == []


def test_every_room_is_named():
    assert sorted(rooms() - NAMED) == []


def test_each_portion_has_its_readme_and_lists_its_rooms():
    for portion in PORTIONS:
        readme = (ROOT / portion / "README.md").read_text(encoding="utf-8")
        inside = f"{portion}/iyu/{portion}/"
        expected = {room.removeprefix(inside) for room in rooms() if room.startswith(inside)} - {""}
        assert expected <= set(re.findall(r"`([\w/]+/)`", readme)), portion
        assert "docs/architecture.md" in readme


def test_no_portion_hides_the_others():
    assert list(ROOT.glob("*/iyu/__init__.py")) == []
    assert {path.parent.name for path in ROOT.glob("*/iyu/*/py.typed")} == set(PORTIONS)


def test_every_decision_has_its_date():
    lines = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8").splitlines()
    decisions = [line for line in lines if line.startswith("**")]
    assert len(decisions) > 30
    dated = re.compile(r"\*\*.+?\*\* \((\d{4}-\d{2}-\d{2})\)\. ")
    dates = [found[1] if (found := dated.match(line)) else line for line in decisions]
    assert dates == sorted(dates)
    assert dates[0] == "2026-11-23"
