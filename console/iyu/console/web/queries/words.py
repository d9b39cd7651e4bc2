"""What words did over a period, from their daily sums in the view `keyword_trend`."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from iyu.console.web.queries.answer import Answer, Record, moment, run
from iyu.console.web.queries.days import Period, has_stale_days
from iyu.schemas.sql.review_day import day_sql, is_between
from iyu.schemas.sql.views import MIN_REVIEWS

#: Sums over days, and what the interval of the mean is computed from (`word_figures`).
_FIGURES: Final = """
           SUM(reviews) AS reviews, SUM(negative_reviews) AS negative_reviews,
           SUM(occurrences) AS occurrences, SUM(total_heat) AS total_heat,
           SUM(total_heat) / SUM(occurrences) AS mean_heat, COUNT(*) AS days,
           SUM(total_heat * total_heat) AS heat_by_heat,
           SUM(total_heat * occurrences) AS heat_by_times,
           SUM(CAST(occurrences AS double precision) * occurrences) AS times_by_times"""


def rank_words(
    connection: Connection, method: str, period: Period, source: str | None, least: int
) -> Answer:
    """Return every word of at least `least` reviews, those that pull down most first."""
    if source and has_stale_days(connection, period):
        return _rank_words_of_tokens(connection, method, period, source, least)
    if source:
        return _rank_words_of_source(connection, method, period, source, least)
    return run(
        connection,
        f"""
        SELECT surface, pos,{_FIGURES}
        FROM keyword_trend
        WHERE method = :method AND day >= :since AND day <= :until
        GROUP BY surface, pos
        HAVING SUM(reviews) >= :least
        ORDER BY total_heat, surface, pos
        """,
        method=method,
        since=period.since.isoformat(),
        until=period.until.isoformat(),
        least=least,
    )


def _rank_words_of_source(
    connection: Connection, method: str, period: Period, source: str, least: int
) -> Answer:
    """Return the same figures of a source, from the table that the view sums over sources.

    The view hides words that few reviews hold over all days, `least` those of the period.
    """
    return run(
        connection,
        f"""
        SELECT surface, pos,{_FIGURES}
        FROM (
            SELECT surface, pos, day, reviews, reviews - positive_reviews AS negative_reviews,
                   occurrences, heat AS total_heat
            FROM keyword_days
            WHERE method = :method AND source = :source AND day >= :since AND day <= :until
              AND reviews > 0 AND model_version = (
                SELECT model_version FROM models WHERE activated_at IS NOT NULL
                ORDER BY activated_at DESC, model_version LIMIT 1
            )
        ) AS a_word_on_a_day
        GROUP BY surface, pos
        HAVING SUM(reviews) >= COALESCE((SELECT MAX(min_reviews) FROM privacy), {MIN_REVIEWS})
           AND SUM(reviews) >= :least
        ORDER BY total_heat, surface, pos
        """,
        method=method,
        source=source,
        since=period.since.isoformat(),
        until=period.until.isoformat(),
        least=least,
    )


def _rank_words_of_tokens(
    connection: Connection, method: str, period: Period, source: str, least: int
) -> Answer:
    """Return the same from every token of the source, where its sums are not complete."""
    day = day_sql(connection.dialect.name, "t")
    return run(
        connection,
        f"""
        SELECT surface, pos,{_FIGURES}
        FROM (
            SELECT surface, pos, {day} AS day,
                   COUNT(DISTINCT review_id) AS reviews,
                   COUNT(DISTINCT CASE WHEN label = 0 THEN review_id END) AS negative_reviews,
                   COUNT(*) AS occurrences, SUM(heat) AS total_heat
            FROM token_heat AS t
            WHERE method = :method AND source = :source AND is_function = 0
              AND heat IS NOT NULL AND {is_between("t", ":begin", ":until")}
            GROUP BY surface, pos, {day}
        ) AS a_word_on_a_day
        GROUP BY surface, pos
        HAVING SUM(reviews) >= :least
        ORDER BY total_heat, surface, pos
        """,
        method=method,
        source=source,
        begin=moment(connection, period.begin),
        until=moment(connection, period.end),
        least=least,
    )


def words_before(
    connection: Connection, method: str, period: Period, words: Sequence[Record]
) -> Answer:
    """Return what some words did in the period before this one; a few steps through the key."""
    days = {f"day_{n}": day.isoformat() for n, day in enumerate(period.before.each_day())}
    surfaces = {f"word_{n}": word["surface"] for n, word in enumerate(words)}
    if not surfaces:
        return Answer((), (), "")
    return run(
        connection,
        f"""
        SELECT surface, pos, SUM(reviews) AS reviews, SUM(total_heat) AS total_heat
        FROM keyword_trend
        WHERE method = :method AND surface IN ({_names(surfaces)})
          AND day IN ({_names(days)})
        GROUP BY surface, pos
        ORDER BY surface, pos
        """,
        method=method,
        **surfaces,
        **days,
    )


def trend_of_word(
    connection: Connection, method: str, period: Period, surface: str, pos: str
) -> Answer:
    """Return a word's figures day by day.

    The days are named one by one: each is then one step through the key.
    """
    days = {f"day_{number}": day.isoformat() for number, day in enumerate(period.each_day())}
    return run(
        connection,
        f"""
        SELECT day, reviews, negative_reviews, occurrences, mean_heat, total_heat
        FROM keyword_trend
        WHERE method = :method AND surface = :surface AND pos = :pos
          AND day IN ({_names(days)})
        ORDER BY day
        """,
        method=method,
        surface=surface,
        pos=pos,
        **days,
    )


def methods_with_words(connection: Connection) -> list[str]:
    """Return the methods whose words are summed for the model that serves.

    A step through the key each, of the table: the least of a view would read all its rows.
    """
    found: list[str] = []
    while True:
        method = run(
            connection,
            """
            SELECT MIN(method) AS method FROM keyword_days
            WHERE model_version = (
                SELECT model_version FROM models WHERE activated_at IS NOT NULL
                ORDER BY activated_at DESC, model_version LIMIT 1
            ) AND method > :last
            """,
            last=found[-1] if found else "",
        ).rows[0]["method"]
        if method is None:
            return found
        found.append(method)


def _names(bound: Iterable[str]) -> str:
    return ", ".join(f":{name}" for name in bound)
