"""Templates into HTML: all escaped, numbers and days as the reader's language writes them."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any, Final

from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException

from iyu.console.web.charts.heat import level_class
from iyu.console.web.filters import Filters
from iyu.console.web.language import LANGUAGES, Language

STATIC: Final = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
#: Characters of an excerpt.
EXCERPT: Final = 120


def render(template: str, language: Language, context: Mapping[str, Any]) -> str:
    """Return a template with its context, in a language."""
    environment = _environment(language)
    return environment.get_template(template).render(context)


def static_file(name: str) -> tuple[bytes, str]:
    """Return one of STATIC and its media type. Raises HTTPException where it is none of them."""
    if name not in STATIC:
        raise HTTPException(404)
    return (files("iyu.console.web") / "static" / name).read_bytes(), STATIC[name]


@cache
def style_version() -> str:
    """Return a short hash of the style sheet: its address changes when it does."""
    return blake2b(static_file("style.css")[0], digest_size=6).hexdigest()


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("iyu.console.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    installed: Any = environment
    installed.install_gettext_translations(language.translations, newstyle=True)
    environment.filters |= _filters(language)
    translations = language.translations

    def points(number: int) -> str:
        return translations.ngettext("%(num)s point", "%(num)s points", number) % {"num": number}

    environment.globals |= {
        "points": points,
        "language": language.code,
        "languages": LANGUAGES,
        "style_version": style_version(),
        "level_class": level_class,
        "address": address,
    }
    return environment


def _filters(language: Language) -> dict[str, Any]:
    locale = language.locale

    def count(value: float) -> str:
        return format_decimal(value, "#,##0", locale=locale)

    def share(value: float | None) -> str:
        return "–" if value is None else format_percent(value, "0.0%", locale=locale)

    def percent(value: float) -> str:
        return format_percent(value, "0%", locale=locale)

    def signed_share(value: float) -> str:
        return format_percent(value, "+0%;-0%", locale=locale).replace("-", "−")

    def figure(value: float | None, digits: int = 3) -> str:
        return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")

    def day(value: date | str) -> str:
        value = date.fromisoformat(value) if isinstance(value, str) else value
        return format_date(value, "d MMM" if language.code == "en" else "M월 d일", locale=locale)

    def ago(seconds: float) -> str:
        return format_timedelta(round(seconds), threshold=1.1, locale=locale)

    return {
        "count": count,
        "share": share,
        "percent": percent,
        "figure": figure,
        "signed": signed,
        "signed_share": signed_share,
        "day": day,
        "ago": ago,
        "utc": utc,
        "excerpt": excerpt,
    }


def address(page: str, **parameters: Any) -> str:
    """Return the address of a page with some filters."""
    return f"/{page}{Filters(**parameters).query()}"


def signed(value: float | None, digits: int = 2) -> str:
    """Return a number with its sign, a true minus."""
    if value is None:
        return "–"
    return f"{value:+.{digits}f}".replace("-", "−") if value else "0"


def utc(value: datetime | None) -> str:
    """Return a time to the minute."""
    return "–" if value is None else f"{value:%Y-%m-%d %H:%M}"


def excerpt(text: str) -> str:
    """Return the beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else line[: EXCERPT - 1] + "…"
