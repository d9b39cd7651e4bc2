"""Why: the heat of a result's words, read from the view `token_heat`."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text

from iyu.schemas.results.events import Kind
from iyu.schemas.results.feed import Result

#: By the key of each review: the view's planner then reads nothing else.
_HEAT: Final = text("""
SELECT review_id, method, surface, start, "end", heat, is_function
FROM token_heat
WHERE source = :source AND review_id IN :review_ids
ORDER BY review_id, method, position
""").bindparams(bindparam("review_ids", expanding=True))

Key = tuple[str | None, str | None]  # source, review_id


def with_heat(connection: Connection, results: Sequence[Result]) -> list[Result]:
    """Return the lines with the heat of every scored review's tokens."""
    tokens: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for key, token in _tokens(connection, results):
        del token["is_function"]
        tokens[key].append(token)
    return [
        replace(result, heat=tuple(tokens[result.source, result.review_id]))
        if result.kind is Kind.SCORED
        else result
        for result in results
    ]


def strongest_words(
    connection: Connection, results: Sequence[Result], count: int
) -> dict[Key, list[dict[str, Any]]]:
    """Return the words with the most heat of each scored review: surface and summed heat.

    Of several stored methods the first by name counts; particles and endings are left out.
    """
    sums: dict[Key, dict[str, float]] = defaultdict(dict)
    methods: dict[Key, str] = {}
    for key, token in _tokens(connection, results):
        method = methods.setdefault(key, token["method"])
        if token["method"] == method and token["heat"] is not None and not token["is_function"]:
            words = sums[key]
            words[token["surface"]] = words.get(token["surface"], 0.0) + token["heat"]
    return {
        key: [
            {"surface": surface, "heat": round(heat, 4)}
            for surface, heat in sorted(words.items(), key=lambda word: -abs(word[1]))[:count]
        ]
        for key, words in sums.items()
    }


def _tokens(
    connection: Connection, results: Sequence[Result]
) -> Iterator[tuple[Key, dict[str, Any]]]:
    wanted: dict[str, set[str]] = defaultdict(set)
    for result in results:
        if result.kind is Kind.SCORED and result.source and result.review_id:
            wanted[result.source].add(result.review_id)
    for source, review_ids in wanted.items():
        found = connection.execute(_HEAT, {"source": source, "review_ids": sorted(review_ids)})
        for row in found.mappings():
            token = dict(row)
            yield (source, token.pop("review_id")), token
