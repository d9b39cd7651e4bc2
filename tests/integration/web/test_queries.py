"""The page's queries on both databases: right, read-only, ended in time, and shown as they ran."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from iyu.console.web.filters import Filters
from iyu.console.web.pages.page import Site
from iyu.console.web.pages.reviews import find
from iyu.console.web.pages.words import words
from iyu.console.web.queries.answer import TimeLimit, run
from iyu.console.web.queries.days import Period, count_days, list_sources, newest_day
from iyu.console.web.queries.reviews import Search
from iyu.console.web.queries.words import rank_words, trend_of_word, words_before
from iyu.console.web.read_session import Database
from iyu.schemas.contract.settings import Settings
from tests.harness.web_reviews import DAYS, HOSTILE, LAST_DAY, SOURCES

TODAY = LAST_DAY.date()
ALL = Period(TODAY - timedelta(DAYS + 1), TODAY + timedelta(1))
EVERYTHING = 1_500 + len(HOSTILE)
ENDLESS = """
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
    SELECT COUNT(*) AS counted FROM numbers
"""


def test_days_and_sources_are_counted_as_the_view_has_them(database: Database):
    with database.session() as connection:
        answer = count_days(connection, ALL)
        view = run(
            connection,
            "SELECT source, COUNT(*) AS reviews, SUM(label) AS positive FROM review_scores "
            "GROUP BY source ORDER BY source",
        ).rows
        assert list_sources(connection) == list(SOURCES)
        assert newest_day(connection) == TODAY
    for row in view:
        mine = [day for day in answer.rows if day["source"] == row["source"]]
        assert sum(day["reviews"] for day in mine) == row["reviews"]
        assert sum(day["positive_reviews"] for day in mine) == row["positive"]
    assert sum(row["reviews"] for row in answer.rows) == EVERYTHING
    assert all(date.fromisoformat(row["day"]) for row in answer.rows)


def test_pages_by_key_give_every_review_once_newest_first(database: Database):
    seen: list[dict[str, Any]] = []
    after = None
    for _ in range(EVERYTHING):
        found = find(database, Search(), after, most=97)
        seen += found.answer.rows
        after = found.after
        if after is None:
            break
    keys = [(row["submitted_at"], row["source"], row["review_id"]) for row in seen]
    assert len(set(keys)) == len(keys) == EVERYTHING
    assert keys == sorted(keys, reverse=True)


def test_a_search_out_of_time_says_how_far_it_came_and_goes_on_there(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("iyu.console.web.queries.reviews.FIRST_LOOK", 50)
    seen, after = set(), None
    search = Search(text="최악", source="film")
    whole = find(database, search, most=10_000).answer.rows
    cut_short = 0
    for _ in range(EVERYTHING):
        found = find(database, search, after, most=10_000, seconds=0.0)
        seen |= {row["review_id"] for row in found.answer.rows}
        cut_short += found.looked_back_to is not None
        after = found.after
        if after is None:
            break
    assert len(whole) > 50
    assert cut_short >= 3
    assert seen == {row["review_id"] for row in whole}
    assert all("최악" in row["text"] and row["source"] == "film" for row in whole)


def test_filters_narrow_to_exactly_what_the_view_holds(database: Database):
    found = find(database, Search(label=0, low=0.1, high=0.4, source="app"), most=10_000)
    with database.session() as connection:
        expected = run(
            connection,
            "SELECT COUNT(*) AS reviews FROM review_scores WHERE source = 'app' AND label = 0 "
            "AND probability >= 0.1 AND probability <= 0.4",
        ).rows[0]["reviews"]
    assert len(found.answer.rows) == expected > 0


def test_a_word_is_a_token_and_not_a_part_of_another(database: Database):
    found = find(database, Search(word="돈", pos="NNG"), most=10_000).answer.rows
    with database.session() as connection:
        expected = run(
            connection,
            "SELECT COUNT(DISTINCT source || '/' || review_id) AS reviews FROM token_heat "
            "WHERE surface = '돈' AND method = 'gradcam'",
        ).rows[0]["reviews"]
    assert len(found) == expected > 50
    assert not find(database, Search(word="돈", pos="VV")).answer.rows


@pytest.mark.parametrize("source", [None, "film"])
def test_words_are_ranked_with_what_the_tokens_say(database: Database, source: str | None):
    with database.session() as connection:
        ranked = rank_words(connection, "gradcam", ALL, source, 5).rows
        narrowed = f"AND source = '{source}'" if source else ""
        expected = run(
            connection,
            "SELECT surface, pos, COUNT(*) AS occurrences, SUM(heat) AS heat FROM token_heat "
            "WHERE method = 'gradcam' AND is_function = 0 AND heat IS NOT NULL "
            f"{narrowed} GROUP BY surface, pos",
        ).rows
    by_word = {(row["surface"], row["pos"]): row for row in expected}
    assert len(ranked) >= 15
    for row in ranked:
        known = by_word[row["surface"], row["pos"]]
        assert row["occurrences"] == known["occurrences"]
        assert row["total_heat"] == pytest.approx(known["heat"])
    assert [row["total_heat"] for row in ranked] == sorted(row["total_heat"] for row in ranked)


def test_the_period_before_is_as_long_and_ends_where_the_period_begins(database: Database):
    week = Period(TODAY - timedelta(6), TODAY)
    assert week.before == Period(TODAY - timedelta(13), TODAY - timedelta(7))
    with database.session() as connection:
        now, before = (
            {row["surface"]: row for row in rank_words(connection, "gradcam", p, None, 1).rows}
            for p in (week, week.before)
        )
        known = list(now.values())
        earlier = words_before(connection, "gradcam", week, known).rows
        assert len(earlier) > 10
        for row in earlier:
            assert row["reviews"] == before[row["surface"]]["reviews"]
            assert row["total_heat"] == pytest.approx(before[row["surface"]]["total_heat"])
        trend = trend_of_word(connection, "gradcam", ALL, "최악", "NNG").rows
    assert sum(row["reviews"] for row in trend) >= now["최악"]["reviews"]
    assert {row["day"] for row in trend} >= {week.since.isoformat(), week.until.isoformat()}


def test_known_words_stand_on_their_side_with_an_interval_that_holds_the_mean(database: Database):
    site = Site(Settings(), database)
    page = words(site, Filters(since=ALL.since, until=ALL.until))
    up = {word.surface: word for word in page.context["up"]}
    down = {word.surface: word for word in page.context["down"]}
    assert {"최고", "재미", "감동"} <= set(up)
    assert {"최악", "지루", "별로"} <= set(down)
    assert up["최고"].low <= up["최고"].mean_heat <= up["최고"].high


def test_nothing_can_be_written(database: Database):
    for statement in (
        "DELETE FROM reviews",
        "CREATE TABLE mine (n int)",
        "UPDATE models SET name=''",
    ):
        with database.session() as connection, pytest.raises(DBAPIError):
            connection.exec_driver_sql(statement)


def test_a_query_without_end_is_ended(database: Database):
    with database.session(0.2) as connection, pytest.raises(TimeLimit) as ended:
        run(connection, ENDLESS)
    assert "RECURSIVE" in ended.value.sql
    with database.session() as connection:  # and the next session has its own time
        assert run(connection, "SELECT 1 AS one").rows == [{"one": 1}]
