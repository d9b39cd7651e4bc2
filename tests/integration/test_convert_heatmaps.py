"""Heatmaps of the form from before: read as they are, converted while workers run, resumed."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, column, insert, select, table, text
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.console.operations.convert_heatmaps import convert_heatmaps, count_old_heatmaps
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review, text_hash
from iyu.schemas.sql.engine import connected, reading, upgrade, writing
from iyu.schemas.sql.keyword_days import from_explanations
from iyu.schemas.sql.tables import explanations, predictions, reviews
from iyu.worker.rows import write_chunk
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from tests.harness.fakes import FakeScorer
from tests.harness.polling import poll
from tests.harness.services import Process, child_environment
from tests.integration.test_migrations import alembic_config

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TEXTS = {
    "1": "배우가 좋다",
    "2": "배우가  아깝다 👍🏽",
    "3": "a@b.kr 배우",
    "4": "",
    "5": "좋 좋",
}
NAMES = (
    "source", "review_id", "model_version", "method", "layers", "target", "pad_heat", "text_hash",
)  # fmt: skip
NONE = (0, 0, 0.0)
VIEWS = (
    "SELECT * FROM token_heat ORDER BY source, review_id, position",
    "SELECT * FROM word_heat ORDER BY source, review_id, position",
    "SELECT * FROM keyword_importance ORDER BY surface, pos",
)


def tokens_of(review: str) -> list[dict[str, Any]]:
    """A token for each character that is no blank; the first is outside the window."""
    places = [place for place, sign in enumerate(review) if not sign.isspace()]
    tokens: list[dict[str, Any]] = [
        {"surface": review[at], "start": at, "end": at + 1, "pos": "NNG" if n % 2 else "VV+EP",
         "heat": None if n == 0 else round(0.123456 * (-1) ** n * n, 6)}
        for n, at in enumerate(places)
    ]  # fmt: skip
    for token in tokens:
        if token["end"] <= 6 and "@" in review:
            token["address"] = True
    return tokens


def old_row(review_id: str, review: str, **others: Any) -> dict[str, Any]:
    return {
        "source": "shop", "review_id": review_id, "model_version": "v1", "method": "gradcam",
        "layers": "conv1", "target": "logit", "pad_heat": 0.0, "text_hash": text_hash(review),
        "tokens": tokens_of(review), **others,
    }  # fmt: skip


def store_old(engine: Engine, texts: dict[str, str]) -> None:
    """Write reviews, scores and heatmaps as workers from before 0011 do."""
    fields = [column(n, explanations.c[n].type) for n in (*NAMES, "tokens")]
    with writing(engine) as connection:
        connection.execute(
            insert(reviews),
            [
                {"source": "shop", "review_id": key, "text": review, "submitted_at": NOON,
                 "text_hash": text_hash(review)}
                for key, review in texts.items()
            ],
        )  # fmt: skip
        connection.execute(
            insert(predictions),
            [
                {"source": "shop", "review_id": key, "model_version": "v1", "probability": 0.75,
                 "logit": 1.1, "label": 1, "token_count": 4, "unknown_count": 0,
                 "truncated": False, "text_hash": text_hash(review), "scored_at": NOON}
                for key, review in texts.items()
            ],
        )  # fmt: skip
        rows = [old_row(key, review) for key, review in texts.items()]
        connection.execute(insert(table("explanations", *fields)), rows)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database of before, with heatmaps, whose tables were brought up to date."""
    with connected(database_url) as engine:
        with writing(engine) as connection:
            command.upgrade(alembic_config(connection), "0010")
            connection.execute(
                text(
                    "INSERT INTO models (model_version, name, created_at, activated_at, manifest) "
                    "VALUES ('v1', 'wide', :noon, :noon, '{}')"
                ),
                {"noon": NOON.isoformat()},
            )
            connection.execute(text("INSERT INTO privacy (id, min_reviews) VALUES (1, 1)"))
        store_old(engine, TEXTS)
        upgrade(engine)
        yield engine


def shown(engine: Engine) -> list[list[tuple[Any, ...]]]:
    with reading(engine) as connection:
        return [[tuple(row) for row in connection.execute(text(view))] for view in VIEWS]


def test_both_forms_say_the_same(engine: Engine):
    before = shown(engine)
    tokens = [(row[1], *row[5:7], row[7], row[9]) for row in before[0]]
    assert tokens == [
        (key, t["surface"], t["pos"], t["start"], t["heat"])
        for key, review in TEXTS.items()
        for t in tokens_of(review)
    ]
    assert [row[5] for row in before[1]] == [w for review in TEXTS.values() for w in review.split()]
    assert not [row for row in before[2] if row[2] in ("@", "b")]
    assert count_old_heatmaps(engine) == len(TEXTS) - 1  # one of an empty text is in either form
    assert convert_heatmaps(engine, at_once=2).rows == len(TEXTS) - 1
    assert count_old_heatmaps(engine) == 0
    assert shown(engine) == before
    with reading(engine) as connection:
        stored = connection.execute(select(explanations).order_by(explanations.c.review_id)).all()
    for row in (row for row in stored if TEXTS[row.review_id]):
        wanted = tokens_of(TEXTS[row.review_id])
        assert row.tokens == []
        assert row.starts == [t["start"] for t in wanted]
        assert row.ends == [t["end"] for t in wanted]
        assert row.tags == [t["pos"] for t in wanted]
        assert row.heats == [t["heat"] for t in wanted]
        assert row.addresses == ([n for n, t in enumerate(wanted) if "address" in t] or None)


def test_it_goes_on_where_it_was_killed(engine: Engine, database_url: str, tmp_path):
    store_old(engine, {f"many-{n:05d}": f"배우 {n} 좋다" for n in range(5_000)})
    before, old = shown(engine), count_old_heatmaps(engine)
    program = (
        "import sys, time\n"
        "from iyu.console.operations.convert_heatmaps import convert_heatmaps\n"
        "from iyu.schemas.sql.engine import connected\n"
        "with connected(sys.argv[1]) as engine:\n"
        "    convert_heatmaps(engine, lambda _: time.sleep(0.05), at_once=50)\n"
    )
    command_line = [sys.executable, "-c", program, database_url]
    process = Process(command_line, child_environment(), tmp_path / "log", tmp_path)
    poll(30, lambda: 0 < count_old_heatmaps(engine) < old - 200)
    process.kill_group()
    left = count_old_heatmaps(engine)
    assert 0 < left < old, "it was not killed in the middle"
    assert shown(engine) == before
    done = CliRunner().invoke(app, ["db", "convert-heatmaps", "--database", database_url])
    assert done.exit_code == 0, done.output
    assert f"{left:,} heatmaps" in done.output
    assert shown(engine) == before
    again = CliRunner().invoke(app, ["db", "convert-heatmaps", "--database", database_url])
    assert (again.exit_code, count_old_heatmaps(engine)) == (0, 0)


def test_what_a_worker_writes_meanwhile_stands(engine: Engine):
    """A new text between the step's reading and writing, and an old worker after it."""

    def replace_text(_done: int) -> None:
        write(engine, {"2": "이제 다르다"}, hour=13)

    convert_heatmaps(engine, replace_text, at_once=1)
    assert [r[5] for r in shown(engine)[1] if r[1] == "2"] == ["이제", "다르다"]
    late = tokens_of("이제 다르다")
    with writing(engine) as connection:  # what an old worker's upsert does: it knows no columns
        values = {"tokens": late, "text_hash": text_hash("이제 다르다")}
        connection.execute(
            explanations.update().where(explanations.c.review_id == "2").values(values)
        )
    assert [r[5] for r in shown(engine)[0] if r[1] == "2"] == [t["surface"] for t in late]
    assert convert_heatmaps(engine).rows == 1
    assert [r[9] for r in shown(engine)[0] if r[1] == "2"] == [t["heat"] for t in late]


def test_a_heatmap_that_does_not_fit_its_text_stays_as_it_is(engine: Engine):
    odd = [{"surface": "딴", "start": 0, "end": 1, "pos": "NNG", "heat": 0.5}]
    with writing(engine) as connection:
        connection.execute(
            explanations.update().where(explanations.c.review_id == "1").values(tokens=odd)
        )
    done = convert_heatmaps(engine)
    assert (done.rows, done.left) == (len(TEXTS) - 2, 1)
    assert [r[5] for r in shown(engine)[0] if r[1] == "1"] == ["딴"]


@pytest.mark.parametrize("converted", [False, True])
def test_a_replaced_text_is_taken_back_from_either_form(engine: Engine, converted: bool):
    """What it changes in the daily sums is the difference of sums that are computed anew."""
    computed = from_explanations(engine.dialect.name)
    before = sums(engine, computed)
    if converted:
        convert_heatmaps(engine)
    write(engine, {"1": "다시 썼다", "3": "배우 c@d.kr"}, hour=14)
    add_all_deltas(engine)
    changed = sums(engine, "SELECT * FROM keyword_days")
    after = {
        word: tuple(map(sum, zip(before.get(word, NONE), changed.get(word, NONE), strict=True)))
        for word in before | changed
    }
    assert {word: figures for word, figures in after.items() if figures[0]} == {
        word: pytest.approx(figures) for word, figures in sums(engine, computed).items()
    }


def sums(engine: Engine, query: str) -> dict[tuple[str, ...], tuple[float, ...]]:
    with reading(engine) as connection:
        return {
            (str(row.day), row.surface, row.pos): (row.reviews, row.occurrences, row.heat)
            for row in connection.execute(text(query))
        }


def write(engine: Engine, texts: dict[str, str], hour: int) -> None:
    """Store texts as a worker of this version does."""
    rows = tuple(Review(key, review) for key, review in texts.items())
    chunk = Chunk(new_id(), "shop", rows, NOON.replace(hour=hour))
    found = FakeScorer("v1").score([row.text for row in rows])
    with writing(engine) as connection:
        write_chunk.write(connection, chunk, found, "v1")
