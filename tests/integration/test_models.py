"""`iyu models`: what is listed, which one the views show, how two differ."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update
from typer.testing import CliRunner

from iyu.console.analysis.model_comparison import compare, measure_both
from iyu.console.analysis.model_registry import activate, find_all, find_one
from iyu.console.main import app
from iyu.console.web.queries.comparisons import read_comparison, read_flips
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.message import Chunk, new_id, read_purpose, rescore_queue
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.erasure.forget import forget_reviews
from iyu.schemas.erasure.traces import find_traces
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading, writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.settings import WorkerSettings
from iyu.worker.training.data import read_labelled
from tests.harness.fakes import CREATED, FakeScorer

TEXTS = {str(i): f"영화 {'지루' if i < 5 else '글'} {i}" for i in range(20)}
#: What the new model says otherwise: 3 up, 1 down.
OLD = {TEXTS[i]: 0.25 for i in "01234"}
NEW = {
    TEXTS["0"]: 0.875,
    TEXTS["1"]: 0.75,
    TEXTS["2"]: 0.75,
    TEXTS["3"]: 0.25,
    TEXTS["4"]: 0.25,
} | {TEXTS["9"]: 0.125}


def score(engine: Engine, scorer: FakeScorer, texts: dict[str, str], queue: str) -> None:
    reviews = tuple(Review(key, text) for key, text in texts.items())
    given = Chunk(new_id(), "shop", reviews, CREATED, purpose=read_purpose(queue))
    score_chunk(Runtime(WorkerSettings(), engine, scorer, None), given, ())  # type: ignore[arg-type]


@pytest.fixture
def rolled_out(engine: Engine) -> Engine:
    """Twenty reviews that `old` serves and `new` scored again, all but the last."""
    score(engine, FakeScorer("old", by_text=OLD), TEXTS, "reviews.live")
    some = {key: text for key, text in TEXTS.items() if key != "19"}
    score(engine, FakeScorer("new", by_text=NEW), some, rescore_queue("new"))
    return engine


def shown(engine: Engine) -> dict[str, int]:
    with reading(engine) as connection:
        query = "SELECT model_version, COUNT(*) FROM review_scores GROUP BY model_version"
        return {row[0]: row[1] for row in connection.exec_driver_sql(query)}


def everything(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        return [
            sorted(map(str, connection.execute(select(table))))
            for table in (tables.reviews, tables.predictions, tables.explanations)
        ]


def test_the_list_names_the_model_that_the_views_show_first(rolled_out: Engine):
    with reading(rolled_out) as connection:
        found = find_all(connection)
    assert [(m.model_version, m.is_current, m.reviews) for m in found] == [
        ("old", True, 20),
        ("new", False, 19),
    ]
    assert found[1].activated_at is None
    assert found[0].test_auc is None


def test_use_switches_the_views_and_back_and_touches_no_row(rolled_out: Engine):
    before = everything(rolled_out)
    assert shown(rolled_out) == {"old": 20}
    with writing(rolled_out) as connection:
        assert activate(connection, "new") == "new"
        assert find_one(connection, "new").is_current
    assert shown(rolled_out) == {"new": 19, "old": 1}
    with writing(rolled_out) as connection:
        activate(connection, "old")
    assert shown(rolled_out) == {"old": 20}
    assert everything(rolled_out) == before


def test_use_wins_over_a_clock_that_is_ahead(rolled_out: Engine):
    with writing(rolled_out) as connection:
        ahead = utc_now() + timedelta(hours=1)
        connection.execute(
            update(tables.models)
            .where(tables.models.c.model_version == "old")
            .values(activated_at=ahead)
        )
        activate(connection, "new")
        assert find_one(connection, "new").is_current
    assert shown(rolled_out) == {"new": 19, "old": 1}


def test_use_reads_no_prediction_while_it_may_write(iyu, rolled_out: Engine):
    """On SQLite every worker waits for the write lock, and a count of millions takes seconds."""
    statements: list[str] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def remember(connection, _cursor, statement, *_):
        if not connection.get_execution_options().get("read_only", False):
            statements.append(statement)

    try:
        assert "for the 19 reviews" in iyu("use", "new").stdout
    finally:
        event.remove(Engine, "before_cursor_execute", remember)
    assert any(statement.startswith("UPDATE models") for statement in statements)
    assert [statement for statement in statements if "predictions" in statement] == []


def test_a_version_may_be_shortened_and_must_be_one(rolled_out: Engine):
    with reading(rolled_out) as connection:
        assert find_one(connection, "ne").model_version == "new"
        for wrong in ("", "newer", "source"):
            with pytest.raises(InputError, match="no model"):
                find_one(connection, wrong)


def test_two_models_are_compared_on_what_both_have_scored(rolled_out: Engine):
    with reading(rolled_out) as connection:
        found = compare(connection, "old", "new", "shop")
        with pytest.raises(InputError, match="scored by both"):
            compare(connection, "old", "new", "elsewhere")
    assert (found.reviews, found.to_positive, found.to_negative) == (19, 3, 1)
    assert found.agreement == pytest.approx(15 / 19)
    assert found.mean_difference == pytest.approx((0.625 + 0.5 + 0.5 + 0.625) / 19)
    assert [flip.review_id for flip in found.to_positive_examples] == ["0", "1", "2"]
    assert [(flip.text, flip.a, flip.b) for flip in found.to_negative_examples] == [
        (TEXTS["9"], 0.75, 0.125)
    ]


def test_a_score_of_an_older_text_is_not_compared(rolled_out: Engine):
    reviews = (Review("0", "다시 쓴 글"),)
    later = Chunk(new_id(), "shop", reviews, CREATED + timedelta(hours=1))
    runtime = Runtime(WorkerSettings(), rolled_out, FakeScorer("old"), None)  # type: ignore[arg-type]
    score_chunk(runtime, later, ())
    with reading(rolled_out) as connection:
        assert compare(connection, "old", "new").reviews == 18


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Labels as the new model has them, of reviews 0 … 9, one whose text is another by now."""
    path = tmp_path / "labels.tsv"
    rows = [f"{i}\t{TEXTS[str(i)]}\t{int(NEW.get(TEXTS[str(i)], 0.75) > 0.5)}" for i in range(10)]
    rows[8] = "8\t다른 글\t0"
    path.write_text("id\tdocument\tlabel\n" + "\n".join(rows), encoding="utf-8")
    return path


def test_both_are_measured_on_labelled_reviews(rolled_out: Engine, labels: Path):
    with reading(rolled_out) as connection:
        found = measure_both(connection, "old", "new", "shop", read_labelled(labels))
        with pytest.raises(InputError, match="none of the 10 labelled reviews"):
            measure_both(connection, "old", "new", "elsewhere", read_labelled(labels))
    assert (found["reviews"], found["without_rows"]) == (9, 1)
    assert found["b"]["accuracy"] == 1.0
    assert found["a"]["accuracy"] == pytest.approx(5 / 9, abs=1e-5)


@pytest.fixture
def iyu(rolled_out: Engine, monkeypatch: pytest.MonkeyPatch):
    address = rolled_out.url.render_as_string(hide_password=False)
    monkeypatch.setenv("IYU_DATABASE_URL", address)
    return lambda *arguments: CliRunner().invoke(app, ["models", *arguments])


def test_every_command_speaks_json(iyu, labels: Path):
    assert [m["current"] for m in json.loads(iyu("list", "--json").stdout)] == [True, False]
    assert json.loads(iyu("show", "new", "--json").stdout)["manifest"]["preset"] == "new"
    assert json.loads(iyu("use", "new", "--json").stdout)["current"] is True
    options = ("--labels", str(labels), "--source", "shop", "--json")
    found = json.loads(iyu("compare", "old", "new", *options).stdout)
    assert found["metrics"]["b"]["accuracy"] == 1.0
    assert found["to_positive"] == 3
    assert "지루" in {word["surface"] for word in found["keywords"]}


def test_words_whose_part_has_changed_are_named(iyu, rolled_out: Engine):
    score(rolled_out, FakeScorer("third"), TEXTS, rescore_queue("third"))
    [word, *_] = json.loads(iyu("compare", "old", "third", "--json").stdout)["keywords"]
    assert (word["surface"], word["before"] < 0 < word["after"]) == ("지루", True)
    assert "지루/NNG: A -" in iyu("compare", "old", "third").stdout


def stored(engine: Engine) -> dict[str, Any]:
    with reading(engine) as connection:
        [row] = connection.execute(select(tables.model_comparisons)).mappings().all()
        flips = connection.scalars(select(tables.model_comparison_examples.c.review_id)).all()
    return dict(row) | {"flips": sorted(flips)}


def test_a_comparison_is_kept_in_place_of_an_earlier_one(iyu, rolled_out: Engine):
    for _ in range(2):
        found = json.loads(iyu("compare", "old", "new", "--json").stdout)
    kept = stored(rolled_out)
    assert (kept["reviews"], kept["to_positive"], kept["to_negative"]) == (19, 3, 1)
    assert kept["agreement"] == pytest.approx(found["agreement"])
    assert kept["flips"] == ["0", "1", "2", "9"]
    assert [word["surface"] for word in kept["words"]] == [
        word["surface"] for word in found["keywords"]
    ]


def test_a_review_that_is_erased_is_no_example_any_more(iyu, rolled_out: Engine):
    iyu("compare", "old", "new")
    with writing(rolled_out) as connection:
        forget_reviews(connection, "shop", ["0"])
        assert find_traces(connection, "shop", ["0"]) == {}
    assert stored(rolled_out)["flips"] == ["1", "2", "9"]


def test_models_without_common_heat_are_kept_without_words(iyu, rolled_out: Engine):
    iyu("compare", "old", "new", "--method", "integrated_gradients")
    assert stored(rolled_out)["words"] is None


def test_the_page_says_what_was_scored_since(iyu, rolled_out: Engine):
    add_all_deltas(rolled_out)
    iyu("compare", "old", "new")
    with reading(rolled_out) as connection:
        [kept] = read_comparison(connection, "old", "new", None).rows
        assert (kept["scored_a"], kept["scored_b"]) == (20, 19)
        assert (kept["scored_a_now"], kept["scored_b_now"]) == (20, 19)
    score(rolled_out, FakeScorer("new"), {"19": TEXTS["19"]}, rescore_queue("new"))
    later = Chunk(new_id(), "shop", (Review("0", "다시 쓴 글"),), CREATED + timedelta(hours=1))
    score_chunk(Runtime(WorkerSettings(), rolled_out, FakeScorer("old"), None), later, ())  # type: ignore[arg-type]
    add_all_deltas(rolled_out)
    with reading(rolled_out) as connection:
        [kept] = read_comparison(connection, "old", "new", None).rows
        assert (kept["scored_a_now"], kept["scored_b_now"]) == (20, 19)  # the new text lost one
        flips = read_flips(connection, "old", "new", None).rows
    assert [(flip["kind"], flip["review_id"]) for flip in flips] == [
        ("to_positive", "1"),
        ("to_positive", "2"),
        ("to_negative", "9"),
    ]


def test_every_command_speaks_to_people(iyu, labels: Path):
    assert "old" in iyu("list").stdout
    assert "preset: new" in iyu("show", "new").stdout
    assert "for the 19 reviews" in iyu("use", "new").stdout
    printed = iyu("compare", "old", "new", "--labels", str(labels), "--source", "shop").stdout
    assert "19 reviews scored by both" in printed
    assert "A negative, B positive: 3" in printed
    assert "accuracy: A 0.5556, B 1.0000" in printed


def test_an_unknown_version_is_one_line(iyu):
    done = iyu("use", "nonsense")
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "iyu: error: no model 'nonsense' has scored here; `iyu models list` shows them"
    ]
