"""Reviews: searched, narrowed, a page at a time, each with its heat."""

from dataclasses import dataclass
from typing import Any, Final

from iyu.console.web.charts.heat import HeatedText, heated_text
from iyu.console.web.filters import Filters
from iyu.console.web.pages.page import Choices, Page, Site, read_choices
from iyu.console.web.queries.answer import Answer, Record, TimeLimit
from iyu.console.web.queries.days import Period
from iyu.console.web.queries.reviews import Found, Key, Search, find_reviews
from iyu.console.web.queries.tokens import by_review, heat_of_reviews
from iyu.console.web.read_session import Database

#: Reviews on a page, and seconds a search may look for them.
ON_A_PAGE: Final = 20
SEARCH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class ShownReview:
    """A review's row, and its text as it is drawn."""

    row: Record
    heated: HeatedText


def reviews(site: Site, filters: Filters) -> Page:
    """Return the page. Raises InputError."""
    choices = read_choices(site, filters)
    search = search_of(filters, choices)
    found = find(site.database, search, filters.after)
    tokens = site.database.ask(heat_of_reviews, choices.method, found.answer.rows)
    further = filters.but(after=found.after).query() if found.after else None
    return Page(
        "reviews.html",
        {"reviews": found.answer, "tokens": tokens},
        {
            "choices": choices,
            "shown": shown_reviews(found.answer, tokens),
            "looked_back_to": found.looked_back_to,
        },
        {
            "next": f"/reviews{further}" if further else None,
            "first": f"/reviews{filters.but().query()}" if filters.after else None,
        },
    )


def search_of(filters: Filters, choices: Choices) -> Search:
    """Return what the filters look for; without days, all days."""
    return Search(
        filters.source,
        choices.period if filters.since or filters.until else None,
        filters.text,
        filters.word,
        filters.pos,
        choices.method,
        {"positive": 1, "negative": 0}.get(filters.label or ""),
        None if filters.low is None else filters.low / 100,
        None if filters.high is None else filters.high / 100,
    )


def find(
    database: Database,
    search: Search,
    after: Key | None = None,
    most: int = ON_A_PAGE,
    seconds: float = SEARCH_SECONDS,
) -> Found:
    """Return a page of reviews."""
    try:
        with database.session() as connection:
            return find_reviews(connection, search, after, most, seconds)
    except TimeLimit as limit:
        return Found(Answer((), (), limit.sql, is_complete=False), None, None)


def shown_reviews(found: Answer, tokens: Answer) -> list[ShownReview]:
    """Return the reviews with their heat."""
    heat: dict[tuple[str, str], list[dict[str, Any]]] = by_review(tokens)
    return [
        ShownReview(row, heated_text(row["text"], heat.get((row["source"], row["review_id"]), [])))
        for row in found.rows
    ]


def newest_with_word(
    database: Database, method: str, word: str, pos: str | None, period: Period | None = None
) -> tuple[Found, list[ShownReview]]:
    """Return a few reviews with a word, and their heat."""
    search = Search(period=period, word=word, pos=pos, method=method)
    found = find(database, search, most=5, seconds=0.3)
    return found, shown_reviews(
        found.answer, database.ask(heat_of_reviews, method, found.answer.rows)
    )
