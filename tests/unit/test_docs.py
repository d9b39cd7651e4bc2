"""The documents are true to the tree: rooms, links, settings, dates."""

import re
from pathlib import Path

import pytest

from iyu.worker.settings import WorkerSettings

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


PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "*/README.md")
    for path in ROOT.glob(pattern)
    if not path.is_relative_to(ROOT / ".venv")
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_links_every_page():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = [f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")]
    assert len(pages) >= 9
    assert [page for page in pages if f"]({page})" not in readme] == []


def test_every_setting_is_documented():
    text = "".join(
        (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/operations.md")
    )
    names = [f"IYU_{name.upper()}" for name in WorkerSettings.model_fields]
    assert len(names) > 10
    assert [name for name in names if f"`{name}`" not in text] == []
