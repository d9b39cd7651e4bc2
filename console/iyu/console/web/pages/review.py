"""A review: its heat by every method and model, how faithful that is, and others like it."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from iyu.console.analysis.stored_heat import Key as StoredKey
from iyu.console.analysis.stored_heat import read_tokens
from iyu.console.web.charts.heat import HeatedText, Morpheme, heated_text
from iyu.console.web.charts.tokens import token_bars
from iyu.console.web.filters import Filters
from iyu.console.web.pages.page import USUAL_METHOD, Page, Site
from iyu.console.web.pages.reviews import newest_with_word
from iyu.console.web.queries.answer import Answer, Record
from iyu.console.web.queries.review import (
    read_faithfulness,
    read_review,
    scores_of_review,
)
from iyu.console.web.queries.tokens import heat_of_review
from iyu.schemas.contract.errors import InputError

#: Words of the review that lead to others.
WORDS: Final = 5
NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class Explained:
    """What one method says of the review under one model."""

    row: Record  # model_version, model, method, comprehensiveness, sufficiency
    heated: HeatedText


def review(site: Site, filters: Filters) -> Page:
    """Return the page. Raises InputError where no review is named."""
    if not filters.source or not filters.id:
        raise InputError("a review is named by source and id; give both")
    key = filters.source, filters.id
    found = site.database.ask(read_review, *key)
    if not found.rows:
        return Page("no_review.html", {"review": found}, {}, status=NOT_FOUND)
    row = found.rows[0]
    scores = site.database.ask(scores_of_review, *key)
    faithfulness = site.database.ask(read_faithfulness, *key)
    tokens = site.database.ask(heat_of_review, *key)
    explained = _explained(site, row, faithfulness, tokens, scores)
    chosen = _chosen(explained, filters.method)
    words = _words(chosen.heated.morphemes) if chosen else []
    return Page(
        "review.html",
        {"review": found, "tokens": tokens, "scores": scores, "explanations": faithfulness},
        {
            "row": row,
            "explained": explained,
            "chosen": chosen,
            "bars": token_bars(chosen.heated.morphemes) if chosen else None,
            "words": words,
            **_neighbours(site, row, chosen, words),
        },
    )


def _explained(
    site: Site, row: Record, faithfulness: Answer, tokens: Answer, scores: Answer
) -> list[Explained]:
    by_method: dict[str, list[Record]] = {}
    for token in tokens.rows:
        by_method.setdefault(token["method"], []).append(token)
    shown, found = row["model_version"], []
    hashes = {score["model_version"]: score["text_hash"] for score in scores.rows}
    with site.database.session() as connection:
        for one in faithfulness.rows:
            version = one["model_version"]
            own = (
                by_method.get(one["method"], [])
                if version == shown
                else _tokens_of_other_model(connection, row, one, hashes.get(version, ""))
            )
            found.append(Explained(one, heated_text(row["text"], own)))
    return found


def _tokens_of_other_model(
    connection: Connection, row: Record, one: Record, text_hash: str
) -> list[dict[str, Any]]:
    """Return the heat under a model that the view `token_heat` does not show."""
    key = StoredKey(row["source"], row["review_id"], one["model_version"], text_hash, 0)
    return [
        token for _, tokens in read_tokens(connection, one["method"], [key]) for token in tokens
    ]


def _chosen(explained: list[Explained], method: str | None) -> Explained | None:
    """Return the explanation to look at first: the method that was asked for, or the usual one."""
    for wanted in (method, USUAL_METHOD):
        for one in explained:
            if one.row["method"] == wanted:
                return one
    return explained[0] if explained else None


def _words(morphemes: tuple[Morpheme, ...]) -> list[Morpheme]:
    """Return the words that pull most, each once."""
    strong = [one for one in morphemes if one.heat is not None and not one.is_function]
    strong.sort(key=lambda one: -abs(one.heat or 0.0))
    return list({(one.surface, one.pos): one for one in reversed(strong)}.values())[::-1][:WORDS]


def _neighbours(
    site: Site, row: Record, chosen: Explained | None, words: list[Morpheme]
) -> dict[str, Any]:
    if chosen is None or not words:
        return {"neighbours": [], "neighbour_word": None}
    word = words[0]
    _, shown = newest_with_word(site.database, chosen.row["method"], word.surface, word.pos)
    others = [
        one
        for one in shown
        if (one.row["source"], one.row["review_id"]) != (row["source"], row["review_id"])
    ]
    return {"neighbours": others[:3], "neighbour_word": word}
