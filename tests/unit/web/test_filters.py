"""Addresses: what is written is what is read."""

from datetime import UTC, date, datetime
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from iyu.console.web.filters import Filters, parse_filters
from iyu.console.web.queries.answer import written_out
from iyu.console.web.queries.reviews import Key

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80)


@given(words, words, words, st.datetimes(timezones=st.just(UTC)))
def test_a_link_is_read_as_it_was_meant(text: str, source: str, review_id: str, at: datetime):
    meant = Filters(
        text=text.strip() or None,
        source=source.strip() or None,
        since=date(2026, 11, 1),
        low=12.5,
        after=Key(at, source, review_id),
    )
    query = meant.query()
    assert query.isascii()
    assert parse_filters(dict(parse_qsl(query[1:], keep_blank_values=True))) == meant


def test_a_further_page_is_left_when_a_filter_changes():
    there = Filters(source="shop", after=Key(datetime(2026, 1, 1, tzinfo=UTC), "shop", "1"))
    assert there.but(source="film") == Filters(source="film")
    assert there.but(heat="off", after=there.after).after == there.after


def test_values_are_written_into_sql_as_one_types_them():
    sql = "SELECT a::date, ':no' FROM t WHERE a = :name AND b > :low AND c = :none AND d = :day"
    values = {"name": "it's; DROP", "low": 0.5, "none": None, "day": "2026-11-24 12:00:00"}
    assert written_out(sql.replace("':no'", "x"), values) == (
        "SELECT a::date, x FROM t WHERE a = 'it''s; DROP' AND b > 0.5 AND c = NULL "
        "AND d = '2026-11-24 12:00:00'"
    )
