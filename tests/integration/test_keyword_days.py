"""The daily figures of words are those of the explanations, whatever came in which order."""

import random
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from sqlalchemy import Engine, select, text
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review
from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.keyword_days import SUMS, from_explanations
from iyu.schemas.sql.rare_words import hide_rare_words
from iyu.schemas.sql.tables import (
    day_deltas,
    days_to_recount,
    keyword_days,
    keyword_deltas,
    keyword_totals,
)
from iyu.worker.rows import write_chunk as store
from iyu.worker.rows.add_to_keyword_days import add_all_deltas, add_deltas
from iyu.worker.scoring import Prediction
from tests.harness.daily_sums import (
    computed_reviews,
    computed_words,
    count_differences,
    stored_reviews,
    stored_words,
)
from tests.harness.explanations import explanation

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MANIFEST = {"preset": "source", "created_at": NOON.isoformat()}
WORDS = (
    "영화",
    "재미",
    "노잼",
    "감동",
    '"',
    "최고",
    "이",
    "다",
    "010",
    "a@b.kr",
    "www.c.kr",
    "셋",
    "둘",
)
POS = ("NNG", "NNG", "NNG", "NNG", "SY", "NNG", "JKS", "EC", "SN", "SL", "NNP", "NNG", "NNG")
CHOICE = tuple(map(str, range(len(WORDS))))
#: Words that no sum may hold: a number, and two addresses.
PRIVATE = {"010", "a@b.kr", "www.c.kr"}


@pytest.fixture(autouse=True)
def models(engine: Engine) -> None:
    with writing(engine) as connection:
        for version in ("v1", "v2"):
            store.register_model(connection, version, MANIFEST)


def prediction(text: str, version: str, methods: tuple[str, ...] = ("gradcam",)) -> Prediction:
    draw = random.Random(text + version)
    tokens, end = [], -1
    for i in map(int, text.split()):
        start = end + 1  # a blank between two words
        end = start + len(WORDS[i])
        heat = draw.choice([None, 0.5, -0.25, 0.125]) if i < 11 else 0.5
        tokens.append(
            {"surface": WORDS[i], "start": start, "end": end, "pos": POS[i], "heat": heat}
        )
    made = tuple(explanation(tokens, method=m) for m in methods)
    return Prediction(draw.random(), 0.0, len(tokens), len(text) % 3, len(tokens) > 3, made)


def chunk(
    texts: dict[str, str],
    moment: datetime = NOON,
    source: str = "shop",
    written_at: datetime | None = None,
) -> Chunk:
    reviews = tuple(Review(key, text, written_at) for key, text in texts.items())
    return Chunk(new_id(), source, reviews, moment, new_id())


def write(engine: Engine, given: Chunk, version: str = "v1") -> int | None:
    found = [prediction(review.text, version) for review in given.reviews]
    # Words are stored by their places, so the text has to hold them.
    spelled = tuple(
        replace(review, text=" ".join(WORDS[int(i)] for i in review.text.split()))
        for review in given.reviews
    )
    with writing(engine) as connection:
        return store.write(connection, replace(given, reviews=spelled), found, version)


def totals(engine: Engine) -> dict[tuple[str, ...], int]:
    with reading(engine) as connection:
        return {(*row[:4],): row.reviews for row in connection.execute(select(keyword_totals))}


def totals_computed(engine: Engine) -> dict[tuple[str, ...], int]:
    found: Counter[tuple[str, ...]] = Counter()
    for (version, method, _, surface, pos, _), figures in computed_words(engine).items():
        found[version, method, surface, pos] += int(figures[0])
    return found


def check(engine: Engine) -> None:
    add_all_deltas(engine)
    assert not count_differences(stored_words(engine), computed_words(engine))
    assert not count_differences(stored_reviews(engine), computed_reviews(engine))
    assert totals(engine) == totals_computed(engine)
    assert not {key[3] for key in stored_words(engine)} & PRIVATE


def test_new_reviews_are_counted_a_day_and_a_word(engine: Engine):
    write(engine, chunk({"a": "0 0 1 8 9", "b": "0 2 6 4 7 10 8"}))
    write(engine, chunk({"c": "0 3"}, NOON + timedelta(days=1)))
    check(engine)
    days = {(key[2], key[3]) for key in stored_words(engine)}
    assert ("2026-11-23", "이") not in days, "a particle is left out"


def test_a_review_counts_on_the_day_it_was_written(engine: Engine):
    years_ago = NOON - timedelta(days=3_000)
    write(engine, chunk({"a": "11 12"}), "v1")
    write(engine, chunk({"b": "12"}, written_at=years_ago), "v1")
    check(engine)
    days = {key[3]: key[2] for key in stored_words(engine) if key[3] == "셋"}
    assert days == {"셋": "2026-11-23"}
    write(engine, chunk({"a": "11 12"}, NOON + timedelta(hours=1), written_at=years_ago), "v2")
    check(engine)
    assert {(key[0], key[2]) for key in stored_words(engine)} == {
        ("v1", "2018-09-06"), ("v2", "2018-09-06"),
    }, "words of every model move"  # fmt: skip


def test_a_chunk_that_comes_twice_counts_once(engine: Engine):
    given = chunk({"a": "0 1 2", "b": "3 5"})
    for _ in range(3):
        write(engine, given)
    check(engine)


def test_a_newer_text_takes_the_older_one_back_for_every_model(engine: Engine):
    for version in ("v1", "v2"):
        write(engine, chunk({"a": "0 1 2"}), version)
    add_all_deltas(engine)
    write(engine, chunk({"a": "3 5"}, NOON + timedelta(days=2)), "v1")
    check(engine)
    write(engine, chunk({"a": "0 1 2"}, NOON + timedelta(days=3)), "v1")
    check(engine)
    assert {key[0] for key in stored_words(engine)} == {"v1", "v2"}, (
        "the old text of v2 counts again"
    )


def test_an_older_text_that_comes_late_changes_nothing(engine: Engine):
    write(engine, chunk({"a": "0 1 2"}, NOON + timedelta(days=1)))
    write(engine, chunk({"a": "3 5"}, NOON))
    check(engine)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_comes_in_whatever_order(engine: Engine, seed: int):
    draw = random.Random(seed)
    for _ in range(25):
        texts = {
            draw.choice("abcdef"): " ".join(draw.choice(CHOICE) for _ in range(4)) for _ in range(3)
        }
        moment = NOON + timedelta(hours=draw.randrange(96))
        source = draw.choice(["shop", "app"])
        written_at = draw.choice([None, NOON - timedelta(days=draw.randrange(1, 1_000))])
        write(engine, chunk(texts, moment, source, written_at), draw.choice(["v1", "v2"]))
        if draw.random() < 0.3:
            add_all_deltas(engine, at_once=2)
    with reading(engine) as connection:
        ids = list(connection.scalars(select(day_deltas.c.id)))
    draw.shuffle(ids)
    for one in ids:  # another worker's may be added first
        assert add_deltas(engine, [one])
    check(engine)


def test_workers_that_add_and_write_the_same_at_once_count_once(engine: Engine):
    def work(seed: int) -> None:
        draw = random.Random(seed)
        for i in range(12):
            texts = {str(draw.randrange(8)): f"{draw.randrange(8)} 0" for _ in range(4)}
            write(engine, chunk(texts, NOON + timedelta(hours=i)), f"v{seed % 2 + 1}")
            add_all_deltas(engine, at_once=3)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(engine)


def test_a_delta_is_added_once(engine: Engine):
    delta = write(engine, chunk({"a": "0 1"}))
    assert delta is not None
    assert add_deltas(engine, [delta])
    assert not add_deltas(engine, [delta])
    check(engine)


def test_the_migration_counts_what_is_there(engine: Engine):
    write(engine, chunk({"a": "0 1 2", "b": "0 3 5"}))
    add_all_deltas(engine)
    with writing(engine) as connection:
        connection.execute(keyword_days.delete())
        columns = "model_version, method, day, surface, pos, source, " + ", ".join(SUMS)
        query = from_explanations(engine.dialect.name)
        connection.execute(text(f"INSERT INTO keyword_days ({columns}) {query}"))
    check(engine)


def test_the_view_shows_the_model_that_serves(engine: Engine):
    show_words_of(engine, 1)
    write(engine, chunk({"a": "0 1 2"}), "v1")
    write(engine, chunk({"a": "0 1 2"}), "v2")
    add_all_deltas(engine)
    with reading(engine) as connection:
        rows = connection.exec_driver_sql(
            "SELECT model_version, reviews, negative_reviews + positive_reviews FROM keyword_trend"
        ).all()
    assert {row[0] for row in rows} == {"v2"}
    assert all(row[1] == row[2] for row in rows)


def show_words_of(engine: Engine, min_reviews: int) -> None:
    with writing(engine) as connection:
        hide_rare_words(connection, min_reviews)


def shown(engine: Engine) -> dict[str, set[str]]:
    """The words of each view of words."""
    with reading(engine) as connection:
        return {
            view: set(connection.exec_driver_sql(f"SELECT surface FROM {view}").scalars())
            for view in ("keyword_trend", "keyword_importance")
        }


def test_the_views_hide_words_that_few_reviews_hold_over_all_days(engine: Engine):
    for day, texts in enumerate(({"a": "11"}, {"b": "11"}, {"c": "11 12"}, {"d": "12"})):
        write(engine, chunk(texts, NOON + timedelta(days=day)), "v2")
    add_all_deltas(engine)
    assert shown(engine) == {"keyword_trend": {"셋"}, "keyword_importance": {"셋"}}
    show_words_of(engine, 2)
    assert shown(engine) == {"keyword_trend": {"셋", "둘"}, "keyword_importance": {"셋", "둘"}}
    show_words_of(engine, 4)
    assert shown(engine) == {"keyword_trend": set(), "keyword_importance": set()}


def test_a_word_that_was_taken_back_is_hidden_again(engine: Engine):
    write(engine, chunk({"a": "11", "b": "11", "c": "11"}), "v2")
    add_all_deltas(engine)
    write(engine, chunk({"b": "12"}, NOON + timedelta(days=1)), "v2")
    check(engine)
    assert shown(engine) == {"keyword_trend": set(), "keyword_importance": set()}


def test_numbers_and_addresses_are_in_no_view_of_words(engine: Engine):
    show_words_of(engine, 1)
    write(engine, chunk({"a": "11 8 9 10"}), "v2")
    add_all_deltas(engine)
    assert shown(engine) == {"keyword_trend": {"셋"}, "keyword_importance": {"셋"}}


def test_a_delta_of_an_older_worker_marks_its_day_and_adds_no_number(engine: Engine):
    part = ["v1", "gradcam", "2026-11-23", 1, 1, "010\tSN\n영화\tNNG", [1, 1], [1, 1], [0.5, 0.5]]
    with writing(engine) as connection:
        connection.execute(keyword_deltas.insert().values(payload=orjson.dumps([part])))
    add_all_deltas(engine)
    assert {(key[3], key[5]) for key in stored_words(engine)} == {("영화", "")}
    with reading(engine) as connection:
        assert list(connection.scalars(select(days_to_recount.c.day))) == [NOON.date()]


def test_the_command_counts_anew_what_an_older_worker_left_out(engine: Engine, database_url: str):
    write(engine, chunk({"a": "11", "b": "11", "c": "11 12"}), "v2")
    add_all_deltas(engine)
    with writing(engine) as connection:
        connection.execute(keyword_totals.delete())
    command = ["db", "rare-words", "2", "--database", database_url]
    assert CliRunner().invoke(app, command).exit_code == 0
    check(engine)
    assert shown(engine)["keyword_trend"] == {"셋"}
    assert CliRunner().invoke(app, ["db", "rare-words", "0"]).exit_code == 2
