"""`iyu verify` finds each kind of fault among real rows, and none where there is none."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, delete, func, select, update
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.console.operations.prune_heatmaps import prune_heatmaps
from iyu.console.trust.verification import run
from iyu.console.trust.verification.findings import Kind
from iyu.console.trust.verification.run import Task, verify
from iyu.console.trust.verification.scope import Scope
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Reason, Review
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.batches import BatchRow, open_batch
from iyu.schemas.ledger.dead_letters import bury_review
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading, writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.model.artifact import locate
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.scoring import Scorer
from iyu.worker.settings import WorkerSettings
from iyu.worker.text import morphemes
from tests.harness.reviews import made

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
REVIEWS = 80
WHOLE = Task(Scope(), None, None, ("source",))


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load("source")


@pytest.fixture
def runtime(engine: Engine, scorer: Scorer) -> Runtime:
    """Eighty reviews of two days, as a producer's chunks and a worker's rows."""
    runtime = Runtime(WorkerSettings(model="source"), engine, scorer, None)  # type: ignore[arg-type]
    for day in range(2):
        store(runtime, dict(made(REVIEWS // 2, day * REVIEWS // 2)), NOON + timedelta(days=day))
    add_all_deltas(engine)
    return runtime


def store(runtime: Runtime, texts: dict[str, str], moment: datetime) -> Chunk:
    reviews = tuple(Review(key, text) for key, text in texts.items())
    chunk = Chunk(new_id(), "shop", reviews, moment, new_id())
    with writing(runtime.engine) as connection:
        open_batch(connection, BatchRow(str(chunk.batch_id), "shop", "a.csv", len(texts), 0, 1))
        ledger.accept(connection, [chunk])
    score_chunk(runtime, chunk, ())
    return chunk


def found(engine: Engine, task: Task = WHOLE) -> dict[str, int]:
    return {kind.value: count for kind, count in verify(engine, task).findings.counts.items()}


def change(engine: Engine, table: Any, review_id: str, **values: Any) -> None:
    with writing(engine) as connection:
        connection.execute(update(table).where(table.c.review_id == review_id).values(values))


def column_of(engine: Engine, review_id: str, name: str) -> list[Any]:
    e = tables.explanations.c
    with reading(engine) as connection:
        query = select(e[name]).where(e.review_id == review_id)
        return list(connection.execute(query).scalar_one())


def test_a_clean_database_passes_and_the_outcome_is_kept(runtime: Runtime):
    report = verify(runtime.engine, WHOLE)
    assert report.findings.counts == {}
    assert (report.checked, report.scored, report.days) == (REVIEWS, REVIEWS, 2)
    with reading(runtime.engine) as connection:
        [row] = connection.execute(select(tables.verifications)).all()
    assert (row.rows_checked, row.rows_scored, row.findings, row.found) == (80, 80, 0, {})


def test_what_waits_to_be_added_to_a_day_is_no_finding(runtime: Runtime):
    store(runtime, dict(made(10, 500)), NOON)
    store(runtime, {"r3": "전혀 다른 글이다"}, NOON + timedelta(days=1))
    assert found(runtime.engine) == {}


def test_one_altered_probability(runtime: Runtime):
    p = tables.predictions.c
    with reading(runtime.engine) as connection:
        before = connection.execute(select(p.probability).where(p.review_id == "r7")).scalar_one()
    change(runtime.engine, tables.predictions, "r7", probability=before + 2e-6)
    few = replace(WHOLE, sample=1, days=0)
    assert found(runtime.engine, few) == {"probability": 1}, "in SQL, whatever is drawn"


def test_a_probability_and_logit_that_were_altered_together(runtime: Runtime):
    change(
        runtime.engine, tables.predictions, "r7",
        probability=0.6224593312018546, logit=0.5, label=1,
    )  # fmt: skip
    assert found(runtime.engine, replace(WHOLE, days=0)) == {"logit": 1}


def test_a_label_that_was_turned(runtime: Runtime):
    p = tables.predictions
    with writing(runtime.engine) as connection:
        mine = p.c.review_id == "r7"
        connection.execute(update(p).where(mine).values(label=1 - p.c.label))
    assert found(runtime.engine, replace(WHOLE, sample=1, days=0)) == {"label": 1}


def test_heat_that_moved_by_one_token(runtime: Runtime):
    heats = column_of(runtime.engine, "r7", "heats")
    change(runtime.engine, tables.explanations, "r7", heats=[heats[-1], *heats[:-1]])
    found_ = found(runtime.engine)
    assert found_["heat"] == 1
    assert found_.keys() == {"heat", "day-sums"}


def test_a_token_at_another_place(runtime: Runtime):
    for name in ("starts", "ends"):
        places = column_of(runtime.engine, "r7", name)
        places[-1] += 1  # beyond the text
        change(runtime.engine, tables.explanations, "r7", **{name: places})
    assert found(runtime.engine, replace(WHOLE, days=0)) == {"spans": 1, "tokens": 1}


def test_a_token_that_ends_before_it_begins(runtime: Runtime):
    ends = column_of(runtime.engine, "r7", "ends")
    change(runtime.engine, tables.explanations, "r7", ends=[0, 0, *ends[2:]])
    assert {"spans", "tokens"} <= found(runtime.engine, replace(WHOLE, days=0)).keys()


def test_a_heatmap_that_lacks_a_token(runtime: Runtime):
    heats = column_of(runtime.engine, "r7", "heats")
    change(runtime.engine, tables.explanations, "r7", heats=heats[:-1])
    assert found(runtime.engine, replace(WHOLE, days=0))["tokens"] == 1


def test_heatmaps_that_were_pruned_are_no_finding(runtime: Runtime):
    assert prune_heatmaps(runtime.engine, NOON + timedelta(hours=13)) == REVIEWS // 2
    assert found(runtime.engine) == {}


def test_a_text_that_was_changed_in_the_table(runtime: Runtime):
    change(runtime.engine, tables.reviews, "r7", text="나중에 바꾼 글")
    assert {"spans", "text", "tokens"} <= found(runtime.engine).keys()


def test_a_text_that_was_changed_with_its_hash(runtime: Runtime):
    change(runtime.engine, tables.reviews, "r7", text="나중에 바꾼 글", text_hash="0" * 16)
    assert found(runtime.engine, replace(WHOLE, days=0)) == {"unscored": 1}


@pytest.mark.parametrize("column", ["reviews", "occurrences", "positive_reviews"])
def test_a_day_whose_sums_are_off_by_one(runtime: Runtime, column: str):
    days = tables.keyword_days
    with writing(runtime.engine) as connection:
        row = connection.execute(select(days).order_by(days.c.day, days.c.surface)).first()
        assert row is not None
        mine = [days.c[key.name] == row._mapping[key.name] for key in days.primary_key]
        connection.execute(update(days).where(*mine).values({column: days.c[column] + 1}))
    assert found(runtime.engine)["day-sums"] == 1


def test_a_day_whose_reviews_are_off_by_one(runtime: Runtime):
    days = tables.review_days
    with writing(runtime.engine) as connection:
        mine = days.c.day == NOON.date(), days.c.model_version != ""
        connection.execute(update(days).where(*mine).values(reviews=days.c.reviews + 1))
    assert found(runtime.engine) == {"review-sums": 1}


def test_reviews_of_a_word_that_are_off_by_one_are_found_whatever_days_are_drawn(
    runtime: Runtime,
):
    totals = tables.keyword_totals
    with writing(runtime.engine) as connection:
        surface = connection.execute(select(func.min(totals.c.surface))).scalar_one()
        mine = totals.c.surface == surface
        connection.execute(update(totals).where(mine).values(reviews=totals.c.reviews + 1))
    assert found(runtime.engine, replace(WHOLE, sample=1, days=0)) == {"word-totals": 1}


def test_a_chunk_and_a_letter_whose_batch_is_not_there(runtime: Runtime):
    chunk = store(runtime, {"x": "새 글"}, NOON)
    with writing(runtime.engine) as connection:
        bury_review(connection, chunk, Review("y", "글"), Reason.SCORING_FAILED, "as it wants")
        gone = tables.batches.c.batch_id == chunk.batch_id
        connection.execute(delete(tables.batches).where(gone))
    assert found(runtime.engine) == {"chunk-without-batch": 1, "letter-without-batch": 1}


def test_a_batch_of_another_publisher_is_no_finding(runtime: Runtime):
    foreign = Chunk(new_id(), "shop", (Review("f", "다른 글"),), NOON, new_id())
    score_chunk(runtime, foreign, ())
    assert found(runtime.engine) == {}


@pytest.fixture
def swapped(tmp_path: Path) -> str:
    """The model's folder with another model's weights in it."""
    folder = shutil.copytree(locate("source"), tmp_path / "swapped")
    content = bytearray((folder / "vocabulary.json").read_bytes())
    words = orjson.loads(bytes(content))
    words[0], words[1] = words[1], words[0]
    (folder / "vocabulary.json").write_bytes(orjson.dumps(words))
    return str(folder)


def test_an_artifact_whose_files_were_swapped(runtime: Runtime, swapped: str):
    report = verify(runtime.engine, replace(WHOLE, artifacts=(swapped,)))
    [finding] = report.to_dict()["found"]
    assert (finding["kind"], report.scored) == ("artifact", 0)
    assert "not those its manifest was written for" in finding["examples"][0]["why"]


def test_rows_of_a_worker_whose_model_was_another(runtime: Runtime, scorer: Scorer):
    weights = scorer.artifact.keras_model.layers[-1].get_weights()
    scorer.artifact.keras_model.layers[-1].set_weights([w * 1.01 for w in weights])
    try:
        store(runtime, dict(made(20, 900)), NOON)
    finally:
        scorer.artifact.keras_model.layers[-1].set_weights(weights)
    assert found(runtime.engine, replace(WHOLE, days=0))["logit"] == 20


def test_rows_of_a_model_that_is_not_here(runtime: Runtime):
    with writing(runtime.engine) as connection:
        connection.execute(update(tables.predictions).values(model_version="0" * 12))
    report = verify(runtime.engine, replace(WHOLE, days=0))
    assert report.findings.counts == {Kind.ARTIFACT: 1}


def test_another_version_of_the_dictionary(runtime: Runtime, monkeypatch: pytest.MonkeyPatch):
    here = morphemes.tokenizer_identity()
    other = here | {"dictionary": "mecab-ko-dic 9.9"}
    with writing(runtime.engine) as connection:
        [manifest] = connection.scalars(select(tables.models.c.manifest))
        changed = dict(manifest) | {"tokenizer": other}
        connection.execute(update(tables.models).values(manifest=changed))
    assert found(runtime.engine) == {"dictionary": 1}


class JoinsEndings:
    """A dictionary in which every text is one noun."""

    def parse(self, text: str) -> str:
        return "".join(f"{word}\tNNG\n" for word in text.split())


def test_texts_that_another_dictionary_cut(
    runtime: Runtime, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr(scorer._analyzer, "_parse", JoinsEndings().parse)
        store(runtime, dict(made(20, 900)), NOON)
    assert found(runtime.engine)["tokens"] == 20


def test_a_review_that_is_replaced_meanwhile_is_no_finding(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
):
    """Between every two steps, another worker stores newer texts."""
    number = iter(range(1_000))

    def meanwhile() -> None:
        later = NOON + timedelta(days=2, seconds=next(number))
        store(runtime, {f"r{n}": f"{later} 새로 쓴 글 {n}" for n in range(5)}, later)

    def before(step: Any) -> Any:
        def changed(*arguments: Any) -> Any:
            meanwhile()
            result = step(*arguments)
            meanwhile()
            return result

        return changed

    for step in ("check_day", "draw_days", "_rows"):
        monkeypatch.setattr(run, step, before(getattr(run, step)))
    report = verify(runtime.engine, WHOLE)
    assert report.findings.counts == {}
    assert report.scored >= REVIEWS


def test_a_scope_leaves_other_rows_out(runtime: Runtime):
    change(runtime.engine, tables.predictions, "r7", label=2)
    late = replace(WHOLE, scope=Scope(source="shop", since=NOON + timedelta(hours=13)))
    assert verify(runtime.engine, late).checked == REVIEWS // 2
    assert found(runtime.engine, late) == {}
    assert found(runtime.engine, replace(WHOLE, scope=Scope(source="other"), days=0)) == {}
    early = Scope(until=NOON + timedelta(hours=1))
    assert found(runtime.engine, replace(WHOLE, scope=early, days=0)) == {"label": 1}


@pytest.fixture
def iyu(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Any:
    address = runtime.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("IYU_DATABASE_URL", address)
    monkeypatch.setenv("IYU_MODEL", "source")
    return lambda *arguments: CliRunner().invoke(app, ["verify", *arguments])


def test_the_command_says_what_differs_and_what_to_do(iyu: Any, runtime: Runtime):
    clean = iyu("--sample", "20")
    assert (clean.exit_code, clean.stdout.splitlines()[-1]) == (0, "nothing differs")
    change(runtime.engine, tables.predictions, "r7", label=2)
    done = iyu("--sample", "20")
    assert done.exit_code == 4
    assert "label: 1 times" in done.stdout
    assert "what to do: a row was changed" in done.stdout
    found = json.loads(iyu("--all", "--json").stdout)
    first = found["found"][0]
    assert (first["kind"], first["count"], found["rows_scored"]) == ("label", 1, REVIEWS)
    assert first["examples"][0]["review_id"] == "r7"
    wrong = iyu("--model", "nonsense")
    assert (wrong.exit_code, len(wrong.stderr.splitlines())) == (2, 1)
