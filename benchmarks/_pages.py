"""The addresses that are asked for, of other sources, days, words and reviews each time."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks._scored_store import OTHER, SERVING, SOURCES, Filled

#: Words that are asked for: common and rare.
WORDS: Final = (
    ("재미있", "VA"), ("최고", "NNG"), ("지루", "XR"), ("쓰레기", "NNG"), ("발연기", "NNG")
)  # fmt: skip

Address = Callable[[random.Random, Filled], str]


def a_week(chance: random.Random, filled: Filled) -> dict[str, date]:
    """Return seven of the days, with others before them."""
    room = (filled.end - filled.begin).days - 14
    since = filled.begin.date() + timedelta(days=7 + chance.randrange(max(room, 1)))
    return {"since": since, "until": since + timedelta(days=6)}


def _asks(name: str, **parameters: Any) -> str:
    return f"/{name}?{urlencode(parameters)}"


def _one_review(chance: random.Random, filled: Filled) -> dict[str, str]:
    source, review_id = filled.pick(chance)
    return {"source": source, "id": review_id}


def _word(chance: random.Random) -> dict[str, str]:
    word, pos = chance.choice(WORDS)
    return {"word": word, "pos": pos}


PAGES: dict[str, Address] = {
    "overview, a week": lambda c, f: _asks("overview", **a_week(c, f)),
    "overview, a source": lambda c, f: _asks("overview", source=c.choice(SOURCES), **a_week(c, f)),
    "reviews, latest": lambda c, f: "/reviews",
    "reviews of a source and label": lambda c, f: _asks(
        "reviews", source=c.choice(SOURCES), label=c.choice(("positive", "negative"))
    ),
    "reviews with a word": lambda c, f: _asks("reviews", **_word(c)),
    "reviews with a text": lambda c, f: _asks("reviews", text=c.choice(("배우", "돈 아깝", "zzz"))),
    "one review": lambda c, f: _asks("review", **_one_review(c, f)),
    "words, a week": lambda c, f: _asks("words", **a_week(c, f)),
    "words of a source": lambda c, f: _asks("words", source=c.choice(SOURCES), **a_week(c, f)),
    "one word": lambda c, f: _asks("word", **_word(c)),
    "models": lambda c, f: "/models",
    "comparison": lambda c, f: _asks("comparison", a=OTHER, b=SERVING),
    "state": lambda c, f: "/state",
}

DATASETTE: dict[str, Address] = {
    "latest reviews": lambda c, f: "/iyu/review_scores?_sort_desc=submitted_at&_nocount=1",
    "one review": lambda c, f: (
        "/iyu/token_heat?"
        + urlencode(
            {
                "source": (key := _one_review(c, f))["source"],
                "review_id": key["id"],
                "_nocount": 1,
            }
        )
    ),
    "reviews with a word": lambda c, f: (
        "/iyu/token_heat?"
        + urlencode({"surface": _word(c)["word"], "_sort_desc": "submitted_at", "_nocount": 1})
    ),
    "token_heat as it comes": lambda c, f: "/iyu/token_heat",
    "keyword_importance": lambda c, f: "/iyu/keyword_importance",
}
