"""The words that decide, as tables on a terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from iyu.console.analysis.keyword_changes import Change
from iyu.console.analysis.keyword_ranking import Keyword
from iyu.console.analysis.keyword_report import KeywordReport
from iyu.console.analysis.stored_heat import Key
from iyu.console.terminal.output import make_table

#: Characters of a terminal that the word and its figures take; an example review gets the rest.
_FIGURES_WIDTH = 66
_MIN_EXAMPLE_WIDTH = 12


def keyword_tables(report: KeywordReport, terminal_width: int) -> RenderableType:
    """Return both lists of words, or the changes between two models."""
    if report.changes is not None:
        return Group(report.title, _changes_table(report.changes))
    width = max(terminal_width - _FIGURES_WIDTH, _MIN_EXAMPLE_WIDTH)
    return Group(
        report.title,
        _words_table("pull up", report.positive, report.texts, width),
        _words_table("pull down", report.negative, report.texts, width),
    )


def _words_table(
    title: str, words: Sequence[Keyword], texts: Mapping[Key, str], example_width: int
) -> Table:
    figures = ("reviews", "share", "mean heat", "total")
    rows = [
        (
            word.surface,
            word.pos,
            f"{word.reviews:,}",
            f"{word.share:+.0%}",
            f"{word.mean_heat:+.3f} ±{(word.high - word.low) / 2:.3f}",
            f"{word.total_heat:+,.0f}",
            _excerpt(texts[word.examples[0]], word.surface),
        )
        for word in words
    ]
    table = make_table(("word", "tag", *figures, "for example"), rows, right=figures, title=title)
    for column in table.columns:
        column.no_wrap = True
    table.columns[-1].overflow, table.columns[-1].max_width = "ellipsis", example_width
    return table


def _excerpt(text: str, surface: str) -> str:
    """Return the text from shortly before a word on."""
    start = max(text.find(surface) - 8, 0)
    return ("…" if start else "") + " ".join(text[start : start + 60].split())


def _changes_table(changes: Sequence[Change]) -> Table:
    figures = ("reviews", "before", "after", "change", "95 % interval")
    rows = [
        (
            change.surface,
            change.pos,
            f"{change.reviews:,}",
            f"{change.before:+.2f}",
            f"{change.after:+.2f}",
            f"{change.difference:+.2f}",
            f"{change.low:+.2f} … {change.high:+.2f}",
        )
        for change in changes
    ]
    return make_table(("word", "tag", *figures), rows, right=figures)
