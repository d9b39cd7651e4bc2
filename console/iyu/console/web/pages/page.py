"""What a page is made of, and what it is made from."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from iyu.console.web.filters import Filters
from iyu.console.web.queries.answer import Answer
from iyu.console.web.queries.days import Period, list_sources, newest_day
from iyu.console.web.queries.words import methods_with_words
from iyu.console.web.read_session import QUESTION_SECONDS, Database
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.sql.engine import check

#: Days that a page looks at unless the address says which.
USUAL_DAYS: Final = 7
#: Days that a page looks at at most: what is counted for each of them costs.
MOST_DAYS: Final = 366
USUAL_METHOD: Final = "gradcam"


@dataclass(frozen=True, slots=True)
class Site:
    """What every page reads from."""

    settings: Settings
    database: Database


@contextmanager
def opened_site(settings: Settings, seconds: float = QUESTION_SECONDS) -> Iterator[Site]:
    """Give the site on the database of the settings; `seconds` is what a question may take.

    Raises DatabaseOutdated, DatabaseUnavailable.
    """
    database = Database(settings.database, seconds)
    try:
        check(database.engine)
        yield Site(settings, database)
    finally:
        database.close()


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its tables as JSON and CSV give them, and what its template shows besides."""

    template: str
    tables: Mapping[str, Answer]
    context: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, str | None] = field(default_factory=dict)  # addresses, in JSON as well
    status: int = 200


@dataclass(frozen=True, slots=True)
class Choices:
    """What the forms of a page offer."""

    sources: list[str]
    methods: list[str]
    period: Period
    method: str


def read_choices(site: Site, filters: Filters, usual_days: int = USUAL_DAYS) -> Choices:
    """Return what can be chosen, and the period and method that are.

    Raises InputError where the days make no period.
    """
    with site.database.session() as connection:
        sources = list_sources(connection)
        methods = methods_with_words(connection) or [USUAL_METHOD]
        until = filters.until or filters.since or newest_day(connection) or utc_now().date()
    if filters.since and not filters.until:
        until = max(filters.since, utc_now().date())
    since = filters.since or until - timedelta(usual_days - 1)
    usual = USUAL_METHOD if USUAL_METHOD in methods else methods[0]
    return Choices(sources, methods, _period(Period(since, until)), filters.method or usual)


def _period(period: Period) -> Period:
    if period.days < 1:
        raise InputError("the period ends before it begins; exchange since and until")
    if period.days > MOST_DAYS:
        raise InputError(f"a period has {MOST_DAYS} days at most; give a later since")
    return period
