"""Reviews that hold a word: some of the latest, for whoever wants to see it in its place."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select, true

from iyu.console.analysis.stored_heat import Key, read_tokens
from iyu.schemas.sql.tables import predictions, reviews

#: Reviews, the latest first, in which examples are looked for.
LOOKED_THROUGH: Final = 20_000
EXAMPLES: Final = 3
#: Reviews that hold the characters of a word, of which some hold it as a word.
_CANDIDATES: Final = 12

Word = tuple[str, str]  # surface, pos


def find_examples(
    connection: Connection, key: tuple[str, str], words: Sequence[Word], chosen: Any = None
) -> dict[Word, list[dict[str, str]]]:
    """Return some of the latest reviews that hold each word as a token.

    key: model version and method; chosen: a condition on `reviews`.
    """
    model_version, method = key
    surfaces = {surface for surface, _ in words}
    candidates, texts = _candidates(connection, model_version, surfaces, chosen)
    found: dict[Word, list[dict[str, str]]] = {word: [] for word in words}
    for review, tokens in read_tokens(connection, method, candidates):
        for word in {(token["surface"], token["pos"]) for token in tokens} & found.keys():
            if len(found[word]) < EXAMPLES:
                shown = {"source": review.source, "review_id": review.review_id}
                found[word].append(shown | {"text": texts[review]})
    return found


def _candidates(
    connection: Connection, model_version: str, surfaces: Collection[str], chosen: Any
) -> tuple[list[Key], dict[Key, str]]:
    """Return the latest reviews whose text holds a word's characters, some for each word."""
    p, r = predictions.c, reviews.c
    query = (
        select(p.source, p.review_id, p.model_version, p.text_hash, p.label, r.text)
        .join_from(
            reviews,
            predictions,
            (p.source == r.source) & (p.review_id == r.review_id) & (p.text_hash == r.text_hash),
        )
        .where(p.model_version == model_version, true() if chosen is None else chosen)
        .order_by(r.submitted_at.desc(), r.source, r.review_id)
        .limit(LOOKED_THROUGH)
    )
    open_ones = dict.fromkeys(surfaces, 0)
    texts: dict[Key, str] = {}
    for *parts, text in connection.execute(query):
        hits = [surface for surface in open_ones if surface in text]
        if hits:
            texts[Key(*parts)] = text
        for surface in hits:
            open_ones[surface] += 1
            if open_ones[surface] >= _CANDIDATES:
                del open_ones[surface]
        if not open_ones:
            break
    return list(texts), texts
