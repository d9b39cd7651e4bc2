"""Overview: how many reviews, how many of them negative, which words, what waits."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import Any, Final

from iyu.console.web.charts.days import MOST_LINES, columns_by_day, lines_by_day
from iyu.console.web.filters import Filters
from iyu.console.web.pages.page import Page, Site, read_choices
from iyu.console.web.pages.word_figures import least_reviews
from iyu.console.web.queries.answer import Record
from iyu.console.web.queries.days import Period, count_days
from iyu.console.web.queries.words import rank_words, words_before
from iyu.console.web.queries.work import dead_letters_by_reason, pending_by_queue

#: Words that are shown on either side.
WORDS: Final = 8


def overview(site: Site, filters: Filters) -> Page:
    """Return the page. Raises InputError."""
    choices = read_choices(site, filters)
    period, ask = choices.period, site.database.ask
    days = ask(count_days, period, filters.source)
    before = ask(count_days, period.before, filters.source)
    reviews = _total(days.rows)
    # Of all sources: what each source does with a word is on the page of words.
    words = ask(rank_words, choices.method, period, None, least_reviews(reviews))
    down = [row for row in words.rows if row["total_heat"] < 0][:WORDS]
    up = [row for row in reversed(words.rows) if row["total_heat"] > 0][:WORDS]
    earlier = ask(words_before, choices.method, period, [*down, *up])
    pending = ask(pending_by_queue)
    letters = ask(dead_letters_by_reason)
    return Page(
        "overview.html",
        {
            "days": days,
            "words": words,
            "words_before": earlier,
            "pending": pending,
            "dead_letters": letters,
        },
        {
            "choices": choices,
            "reviews": reviews,
            "reviews_before": _total(before.rows) if before.is_complete else None,
            "negative_share": negative_share(days.rows),
            "negative_share_before": negative_share(before.rows),
            "waiting": sum(row["reviews"] for row in pending.rows),
            "dead": sum(row["letters"] for row in letters.rows),
            "columns": columns_of(days.rows, period),
            "lines": lines_of(days.rows, period),
            "by_source": by_source(days.rows),
            "down": down,
            "up": up,
            "earlier": {(row["surface"], row["pos"]): row for row in earlier.rows},
        },
    )


def negative_share(rows: Sequence[Record]) -> float | None:
    """Return the share of negative reviews, None of none."""
    reviews = _total(rows)
    return 1 - sum(row["positive_reviews"] for row in rows) / reviews if reviews else None


def columns_of(rows: Sequence[Record], period: Period) -> Any:
    """Return the chart of reviews by day, negative ones apart."""
    totals: dict[date, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in rows:
        total, negative = totals[date.fromisoformat(row["day"])]
        here = row["reviews"]
        totals[date.fromisoformat(row["day"])] = (
            total + here,
            negative + here - row["positive_reviews"],
        )
    return columns_by_day(period.each_day(), totals)


def lines_of(rows: Sequence[Record], period: Period) -> Any:
    """Return the chart of the share of negatives by day, a line of each of the largest sources."""
    largest = [entry["source"] for entry in by_source(rows)[:MOST_LINES]]
    series: dict[str, Mapping[date, float]] = {
        source: {
            date.fromisoformat(row["day"]): 1 - row["positive_reviews"] / row["reviews"]
            for row in rows
            if row["source"] == source
        }
        for source in largest
    }
    return lines_by_day(period.each_day(), series, bounds=(0.0, 1.0))


def by_source(rows: Sequence[Record]) -> list[Record]:
    """Return reviews and share of negatives of each source, the largest first."""
    found: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        found[row["source"]].append(row)
    entries = [
        {"source": source, "reviews": _total(own), "negative_share": negative_share(own)}
        for source, own in found.items()
    ]
    return sorted(entries, key=itemgetter("reviews"), reverse=True)


def _total(rows: Sequence[Record]) -> int:
    return sum(row["reviews"] for row in rows)
