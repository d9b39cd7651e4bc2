"""A table of another system that holds what no review has: its other rows are read all the same."""

from datetime import timedelta
from typing import Any

import pytest

from iyu.producer.readers.database_table import DatabaseTable, TableNames
from iyu.producer.readers.readable_rows import MAX_TEXT
from iyu.schemas.contract.review import Reason
from tests.integration.test_ingest import (
    NAMES,
    Both,
    both,
    run,
    shop,
    written,
)

__all__ = ["both", "shop", "written"]

GOOD = {str(key): f"리뷰 {key}" for key in range(3)}
#: Times that no Python, or no database of ours, can hold, by dialect.
IMPOSSIBLE = {
    "sqlite": ["0001-01-01 00:00:00", "0000-00-00 00:00:00", "bald", "9999-12-31 23:59:59", 5],
    "postgresql": ["infinity", "-infinity", "20000-01-01", "4000-01-01 BC", "0001-01-01"],
}


@pytest.fixture
def filled(both: Both) -> Both:
    for key, words in GOOD.items():
        both.shop.write(int(key), words)
    return both


def impossible(both: Both) -> list[Any]:
    return IMPOSSIBLE[both.shop.engine.dialect.name]


def test_a_change_at_an_impossible_time_hides_no_other(filled: Both):
    for number, moment in enumerate(impossible(filled), 100):
        filled.shop.write(number, "이상한 시간")
        filled.shop.do(
            "UPDATE shop_reviews SET updated_at = :at WHERE id = :key", at=moment, key=number
        )
    for _ in range(3):
        filled.begin().read_changes()
        filled.work()
        assert GOOD.items() <= filled.texts().items()
    filled.shop.write(1, "바뀌었어요")
    filled.begin().read_changes()
    filled.work()
    assert filled.texts()["1"] == "바뀌었어요"
    with DatabaseTable(filled.shop.url, NAMES) as table:
        read = sum(map(len, table.pages(None)))
        assert read + table.count_unreadable() == len(GOOD) + len(impossible(filled))


def test_an_impossible_time_of_writing_hides_no_other(written: Both):
    for key, words in GOOD.items():
        written.shop.write(int(key), words)
    for number, moment in enumerate(impossible(written), 100):
        written.shop.write(number, "이상한 시간")
        written.shop.do(
            "UPDATE shop_reviews SET created_at = :at WHERE id = :key", at=moment, key=number
        )
    counts = written.begin().read_changes()
    written.work()
    assert GOOD.items() <= written.texts().items()
    assert counts.submitted + counts.rejected.total() == len(GOOD) + len(impossible(written))


def test_a_table_deleted_for_ever_is_deleted(filled: Both):
    if filled.shop.engine.dialect.name == "sqlite":
        pytest.skip("SQLite's times have no infinity")
    filled.begin().read_changes()
    filled.work()
    filled.shop.do("UPDATE shop_reviews SET deleted_at = 'infinity', updated_at = NOW")
    assert filled.begin().read_changes().erased == len(GOOD)


def test_bytes_that_are_no_text_reject_their_row_alone(filled: Both):
    if filled.shop.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL holds no such text")
    filled.shop.do(
        "INSERT INTO shop_reviews (id, body, updated_at) "
        "VALUES (9, CAST(x'c1ccbbe7' AS TEXT), NOW), (10, x'00ff', NOW)"
    )
    counts = filled.begin().read_changes()
    assert (counts.read, counts.rejected.total()) == (5, 2)
    filled.work()
    assert filled.texts() == GOOD


def test_a_row_without_a_key_hides_no_other(filled: Both):
    """NULL is before every key: a page that ends there must not skip what comes after it."""
    kind = "TIMESTAMPTZ" if filled.shop.engine.dialect.name == "postgresql" else "DATETIME"
    filled.shop.do("DROP TABLE shop_reviews")
    filled.shop.do(
        f"CREATE TABLE shop_reviews (id TEXT, body TEXT, updated_at {kind}, deleted_at {kind})"
    )
    for key in (None, "1", "2", "3"):
        filled.shop.do(
            "INSERT INTO shop_reviews (id, body, updated_at) "
            "VALUES (:key, '리뷰', '2026-05-01 12:00:00')",
            key=key,
        )
    with DatabaseTable(filled.shop.url, NAMES) as table:
        keys = [row.key for page in table.pages(None, rows=1) for row in page]
        assert keys == ["1", "2", "3"]
        assert table.count_unreadable() == 1


def test_an_endless_text_is_not_read_to_its_end(filled: Both):
    filled.shop.do(
        "INSERT INTO shop_reviews (id, body, updated_at) VALUES (9, :body, NOW)",
        body="길" * 3_000_000,
    )
    with DatabaseTable(filled.shop.url, NAMES) as table:
        [rows] = table.pages(None)
        assert max(len(row.text) for row in rows) == MAX_TEXT
    assert filled.begin().read_changes().rejected == {Reason.TOO_LONG: 1}


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1])
def test_the_least_and_the_largest_number_of_a_change(both: Both, number: int):
    both.names = TableNames("shop_reviews", "id", "body", "number")
    both.overlap = timedelta(days=1_000_000)
    if both.shop.engine.dialect.name == "postgresql":
        both.shop.do("ALTER TABLE shop_reviews ALTER COLUMN number TYPE bigint")
    both.shop.do("INSERT INTO shop_reviews (id, body, number) VALUES (1, 'a', :n)", n=number)
    for submitted in (1, 0):
        assert both.begin().read_changes().submitted == submitted


def test_an_overlap_before_all_time_reads_everything(filled: Both):
    filled.overlap = timedelta(days=999_999_999)
    for submitted in (3, 0):
        assert filled.begin().read_changes().submitted == submitted


@pytest.mark.parametrize("overlap", ["99999999999999999d", "-5m", "soon"])
def test_an_impossible_overlap_is_one_clear_line(filled: Both, overlap: str):
    done = run(filled, "--overlap", overlap)
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_the_warning_counts_what_is_never_read(filled: Both):
    filled.shop.do("INSERT INTO shop_reviews (id, body) VALUES (50, '없음')")
    assert "1 rows have no id, or nothing usable in updated_at" in run(filled).stderr
