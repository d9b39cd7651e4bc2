"""Comparisons of two models, as `iyu models compare` has stored them."""

from typing import Final

from sqlalchemy import Connection

from iyu.console.analysis.stored_comparison import ALL_SOURCES
from iyu.console.web.queries.answer import Answer, run

_PAIR: Final = "model_a = :a AND model_b = :b AND compared_source = :compared_source"
_WORD: Final = {"surface": "text", "pos": "text", "reviews": "integer"} | dict.fromkeys(
    ("before", "after", "low", "high"), "double precision"
)
_FIELD: Final = {
    "sqlite": "json_extract(w.value, '$.{name}')",
    "postgresql": "CAST(w.value ->> '{name}' AS {type})",
}
_UNNESTED: Final = {
    "sqlite": "json_each(words) AS w",
    "postgresql": "jsonb_array_elements(words) WITH ORDINALITY AS w(value, key)",
}


def read_comparison(connection: Connection, a: str, b: str, source: str | None) -> Answer:
    """Return the comparison, and what each model has scored by now; no row where none is stored.

    Columns: those of model_comparisons, but whether there are words in place of them; and
    scored_a_now, scored_b_now.
    """
    of_source = " AND d.source = c.compared_source" if source else ""
    return run(
        connection,
        f"""
        SELECT model_a, model_b, compared_source, made_at, reviews, agreement, mean_difference,
               to_positive, to_negative, method, words IS NOT NULL AS has_words,
               scored_a, scored_b,
               (SELECT COALESCE(SUM(d.reviews), 0) FROM review_days AS d
                WHERE d.model_version = c.model_a{of_source}) AS scored_a_now,
               (SELECT COALESCE(SUM(d.reviews), 0) FROM review_days AS d
                WHERE d.model_version = c.model_b{of_source}) AS scored_b_now
        FROM model_comparisons AS c
        WHERE {_PAIR}
        """,
        **_values(a, b, source),
    )


def read_flips(connection: Connection, a: str, b: str, source: str | None) -> Answer:
    """Return reviews on which the models say the opposite, where their texts still stand."""
    return run(
        connection,
        f"""
        SELECT CASE WHEN e.probability_a < e.probability_b THEN 'to_positive'
                    ELSE 'to_negative' END AS kind,
               e.source, e.review_id, r.text, e.probability_a AS a, e.probability_b AS b
        FROM model_comparison_examples AS e
        JOIN reviews AS r ON r.source = e.source AND r.review_id = e.review_id
         AND r.text_hash = e.text_hash
        WHERE {_PAIR}
        ORDER BY kind DESC, ABS(e.probability_a - e.probability_b) DESC, e.source, e.review_id
        """,
        **_values(a, b, source),
    )


def read_changed_words(connection: Connection, a: str, b: str, source: str | None) -> Answer:
    """Return the words that changed most, the largest change first."""
    dialect = connection.dialect.name
    columns = ", ".join(
        f"{_FIELD[dialect].format(name=name, type=kind)} AS {name}" for name, kind in _WORD.items()
    )
    return run(
        connection,
        f"SELECT {columns}\nFROM model_comparisons, {_UNNESTED[dialect]}\nWHERE {_PAIR}\n"
        "ORDER BY w.key",
        **_values(a, b, source),
    )


def _values(a: str, b: str, source: str | None) -> dict[str, str]:
    return {"a": a, "b": b, "compared_source": source or ALL_SOURCES}
