"""`iyu report`: one HTML file that needs nothing else, from the templates of the page."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from iyu.console.web.filters import Filters
from iyu.console.web.language import load_language
from iyu.console.web.pages.models import model
from iyu.console.web.pages.overview import overview
from iyu.console.web.pages.page import Page, Site, read_choices
from iyu.console.web.pages.reviews import ShownReview, shown_reviews
from iyu.console.web.pages.words import word, words
from iyu.console.web.queries.answer import Answer
from iyu.console.web.queries.models import list_models
from iyu.console.web.queries.reviews import surest_reviews
from iyu.console.web.queries.tokens import heat_of_reviews
from iyu.console.web.rendering import render, static_file
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import utc_now

#: Reviews shown of each label, and words whose trend is drawn on each side.
EXAMPLES: Final = 5
TRENDS: Final = 2


@dataclass(frozen=True, slots=True)
class Examples:
    """The surest reviews of one label."""

    shown: list[ShownReview]
    answer: Answer


def make_report(site: Site, filters: Filters, language: str) -> str:
    """Return the report as HTML. Raises InputError where the period holds no review."""
    choices = read_choices(site, filters)
    filters = filters.but(since=choices.period.since, until=choices.period.until)
    first, ranked = overview(site, filters), words(site, filters)
    if not first.context["reviews"]:
        raise InputError(
            f"no scored review came in from {choices.period.since} to {choices.period.until}; "
            "give other days with --since and --until, or another --source"
        )
    versions = site.database.ask(list_models).rows
    card = model(site, Filters(a=versions[0]["model_version"]))
    context = {
        **first.context,
        "overview": first,
        "words_page": ranked,
        "trends": _trends(site, filters, ranked),
        "negative": _examples(site, filters, 0),
        "positive": _examples(site, filters, 1),
        "card": card,
        "filters": replace(filters, heat=None),
        "page_name": "",
        "is_report": True,
        "made_at": utc_now(),
        **_style(),
    }
    return render("report.html", load_language(language), context)


def _examples(site: Site, filters: Filters, label: int) -> Examples:
    choices = read_choices(site, filters)
    found = site.database.ask(surest_reviews, choices.period, filters.source, label, EXAMPLES)
    tokens = site.database.ask(heat_of_reviews, choices.method, found.rows)
    return Examples(shown_reviews(found, tokens), found)


def _trends(site: Site, filters: Filters, ranked: Page) -> list[tuple[str, Page]]:
    """Return the pages of the words that pull most."""
    strongest = ranked.context["down"][:TRENDS] + ranked.context["up"][:TRENDS]
    return [
        (one.surface, word(site, filters.but(word=one.surface, pos=one.pos))) for one in strongest
    ]


def _style() -> Mapping[str, Any]:
    """Return the style sheet, and the policy that lets in this very text and nothing else."""
    css = static_file("style.css")[0].decode()
    digest = b64encode(sha256(css.encode()).digest()).decode()
    return {"css": css, "policy": f"default-src 'none'; style-src 'sha256-{digest}'"}
