"""Words: what pulls up and down in a period and source, and one word day by day."""

from datetime import date
from typing import Final

from iyu.console.web.charts.days import columns_by_day, lines_by_day
from iyu.console.web.filters import Filters
from iyu.console.web.pages.page import Page, Site, read_choices
from iyu.console.web.pages.reviews import newest_with_word
from iyu.console.web.pages.word_figures import WordFigure, least_reviews, strongest
from iyu.console.web.queries.days import count_days
from iyu.console.web.queries.words import rank_words, trend_of_word
from iyu.schemas.contract.errors import InputError

#: Words that are shown on either side.
WORDS: Final = 20
#: Days of a word's trend, unless the address says which.
TREND_DAYS: Final = 28


def words(site: Site, filters: Filters) -> Page:
    """Return the words of a period. Raises InputError."""
    choices = read_choices(site, filters)
    days = site.database.ask(count_days, choices.period, filters.source)
    reviews = sum(row["reviews"] for row in days.rows)
    least = least_reviews(reviews)
    found = site.database.ask(rank_words, choices.method, choices.period, filters.source, least)
    up, down = strongest(found.rows, filters.order or "total", WORDS)
    reach = max((abs(bound) for word in up + down for bound in _ends(word)), default=1.0)
    return Page(
        "words.html",
        {"words": found},
        {
            "choices": choices,
            "up": up,
            "down": down,
            "least": least,
            "reviews": reviews,
            "reach": reach,
        },
    )


def word(site: Site, filters: Filters) -> Page:
    """Return one word day by day, with the newest reviews that hold it. Raises InputError."""
    if not filters.word or not filters.pos:
        raise InputError("a word is named by word and pos; choose one from the page of words")
    choices = read_choices(site, filters, TREND_DAYS)
    trend = site.database.ask(
        trend_of_word, choices.method, choices.period, filters.word, filters.pos
    )
    found, shown = newest_with_word(site.database, choices.method, filters.word, filters.pos)
    by_day = {date.fromisoformat(row["day"]): row for row in trend.rows}
    days = choices.period.each_day()
    return Page(
        "word.html",
        {"trend": trend, "reviews": found.answer},
        {
            "choices": choices,
            "total": sum(row["reviews"] for row in trend.rows),
            "negative": sum(row["negative_reviews"] for row in trend.rows),
            "columns": columns_by_day(
                days,
                {day: (row["reviews"], row["negative_reviews"]) for day, row in by_day.items()},
            ),
            "lines": lines_by_day(
                days, {filters.word: {day: row["mean_heat"] for day, row in by_day.items()}}
            ),
            "shown": shown,
        },
    )


def _ends(word: WordFigure) -> list[float]:
    return [word.mean_heat, *(end for end in (word.low, word.high) if end is not None)]
