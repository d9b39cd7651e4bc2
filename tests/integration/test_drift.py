"""`iyu drift` notices a change among real rows, names what moved, and is quiet where none is."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, insert, select
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.console.metrics.collector import IyuCollector
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review
from iyu.schemas.contract.settings import Settings
from iyu.schemas.erasure import forget_all
from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.tables import days_to_recount, drift_reports, privacy
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import FakeScorer
from tests.harness.web_page import served

FIRST = date(2026, 3, 2)
DAYS = 35
A_DAY = 40
WORDS = ("배우", "이야기", "음악", "결말", "대사", "화면", "감독", "배경", "연기", "주인공")

Text = Callable[[np.random.Generator], tuple[str, float]]


def usual(draw: np.random.Generator) -> tuple[str, float]:
    """A review as on any day: some words, mostly sure."""
    return " ".join(draw.choice(WORDS, 4, replace=False)), float(draw.beta(0.4, 0.4))


def unsure(draw: np.random.Generator) -> tuple[str, float]:
    """The model hesitates, and one review in five has a word that nobody wrote before."""
    text, probability = usual(draw)
    return text + " \x1b[31m킹받네" * bool(draw.random() < 0.2), 0.3 + 0.4 * probability


def angry(draw: np.random.Generator) -> tuple[str, float]:
    """More reviews are negative, and as surely as ever."""
    text, probability = usual(draw)
    turned = draw.random() < 0.4
    return text, min(probability, 1 - probability) if turned else probability


@pytest.fixture
def iyu(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("IYU_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    return lambda *arguments: CliRunner().invoke(app, ["drift", *arguments])


def store(
    engine: Engine, window: Text, days: int = DAYS, source: str = "shop", seed: int = 5
) -> dict[date, list[float]]:
    """Score reviews of some days, of which the last seven are another's; return probabilities."""
    draw = np.random.default_rng(seed)
    kept: dict[date, list[float]] = {}
    for number in range(days):
        made = [(window if number >= days - 7 else usual)(draw) for _ in range(A_DAY)]
        texts = {f"{text} 글{number}번{n}": p for n, (text, p) in enumerate(made)}
        reviews = tuple(Review(f"d{number}-{n}", text) for n, text in enumerate(texts))
        day = FIRST + timedelta(days=number)
        kept[day] = list(texts.values())
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        scorer = FakeScorer("v1", by_text=dict(texts))
        runtime = Runtime(WorkerSettings(), engine, scorer, None)  # type: ignore[arg-type]
        score_chunk(runtime, Chunk(new_id(), source, reviews, moment), ())
    add_all_deltas(engine)
    return kept


def test_days_like_those_before_are_quiet_and_the_outcome_is_kept(iyu, engine: Engine):
    kept = store(engine, usual)
    done = iyu("--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["alarm"], found["noticed"]) == (False, [])
    assert found["window"]["since"] == "2026-03-30"
    assert found["window"]["until"] == "2026-04-06"
    assert (found["window"]["days"], found["window"]["reviews"]) == (7, 7 * A_DAY)
    assert (found["reference"]["days"], found["reference"]["reviews"]) == (28, 28 * A_DAY)
    sure = [max(p, 1 - p) for day, ps in kept.items() if day >= date(2026, 3, 30) for p in ps]
    accuracy = found["figures"]["estimated_accuracy"]
    assert accuracy["window"] == pytest.approx(np.mean(sure))
    assert accuracy["low"] < accuracy["change"] < accuracy["high"]
    with reading(engine) as connection:
        [row] = connection.execute(select(drift_reports)).all()
    assert (row.source, row.alarm, row.noticed) == (None, False, [])
    assert row.estimated_accuracy == pytest.approx(np.mean(sure))
    assert row.figures == found["figures"]
    assert row.scope == {name: found[name] for name in ("window", "reference")}
    printed = iyu("--source", "shop").stdout
    assert "no figure changed more than chance explains" in printed
    assert "no word moved" in printed


def test_a_model_that_hesitates_is_an_alarm_and_the_new_word_is_named(iyu, engine: Engine):
    store(engine, unsure)
    done = iyu("--json")
    assert done.exit_code == 4
    found = json.loads(done.stdout)
    assert found["alarm"]
    assert {"estimated_accuracy", "word_shares"} <= set(found["noticed"])
    assert found["figures"]["estimated_accuracy"]["high"] < 0
    first = found["words"][0]
    assert (first["surface"], first["reference_share"]) == ("\x1b[31m킹받네", 0)
    assert first["window_share"] == pytest.approx(0.2, abs=0.05)
    assert (len(first["examples"]), first["examples"][0]["source"]) == (3, "shop")
    printed = iyu()
    assert printed.exit_code == 4
    assert "alarm: the estimated accuracy fell" in printed.stdout
    assert "␛[31m킹받네/NNG: 0.00 % → " in printed.stdout
    assert "\x1b" not in printed.stdout
    assert f"shop/{first['examples'][0]['review_id']}: " in printed.stdout


def test_what_explains_is_no_alarm(iyu, engine: Engine):
    store(engine, angry)
    done = iyu("--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert "negative_share" in found["noticed"]
    assert "estimated_accuracy" not in found["noticed"]
    assert found["figures"]["negative_share"]["low"] > 0
    assert "higher" in iyu().stdout


def test_chosen_days_and_sources_are_compared(iyu, engine: Engine):
    store(engine, unsure)
    store(engine, usual, source="app", seed=6)
    assert iyu("--source", "app").exit_code == 0
    assert iyu("--source", "shop").exit_code == 4
    before = ("--since", "2026-03-20", "--until", "2026-03-27")
    assert iyu("--source", "shop", *before, "--reference", "18").exit_code == 0
    both = ("--since", "2026-03-30", "--reference-since", "2026-03-09")
    found = json.loads(iyu("--source", "shop", "--reference-source", "app", *both, "--json").stdout)
    assert found["alarm"]
    assert found["reference"] == {
        "source": "app", "since": "2026-03-09", "until": "2026-04-06", "days": 28,
        "reviews": 28 * A_DAY,
    }  # fmt: skip
    with reading(engine) as connection:
        assert set(connection.scalars(select(drift_reports.c.source))) == {"shop", "app"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--reference", "14"), "the reference (2026-02-23 … 2026-03-08) has scored reviews on 7"),
        (("--source", "nobody"), "has scored no review of source 'nobody'"),
        (("--since", "2026-03-05", "--reference-since", "2026-03-01"), "share days"),
        (("--since", "2026-03-05", "--until", "2026-03-04"), "ends before it begins"),
        (("--since", "2026-03-01", "--until", "2026-03-04"), "the window (2026-03-01 … 2026-03-03"),
        (("--model", "v9"), "v9"),
    ],
)
def test_too_few_days_or_a_wrong_choice_is_one_line(
    iyu, engine: Engine, arguments: tuple[str, ...], said: str
):
    store(engine, usual, days=14)
    done = iyu(*arguments)
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1), done.output
    assert said in done.stderr
    with reading(engine) as connection:
        assert connection.execute(select(drift_reports)).all() == []


def test_without_any_score_it_says_what_to_do(iyu, engine: Engine):
    done = iyu()
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert "submit reviews first" in done.stderr
    assert "'gestern' is no day" in iyu("--since", "gestern").stderr


def test_days_that_wait_to_be_counted_anew_are_not_compared(iyu, engine: Engine):
    store(engine, usual)
    with writing(engine) as connection:
        connection.execute(insert(days_to_recount).values(day=date(2026, 4, 1)))
    done = iyu()
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert "iyu db recount" in done.stderr


def test_words_that_the_views_hide_are_not_named(iyu, engine: Engine):
    store(engine, unsure)
    with writing(engine) as connection:
        connection.execute(insert(privacy).values(id=1, min_reviews=200))
    found = json.loads(iyu("--json").stdout)
    assert {word["surface"] for word in found["words"]} == set(WORDS)
    assert iyu("--method", "occlusion", "--json").exit_code == 4
    assert "word_order" not in json.loads(iyu("--method", "occlusion", "--json").stdout)["figures"]


def test_a_forgotten_review_is_in_no_figure(iyu, engine: Engine):
    kept = store(engine, unsure)
    gone = [f"d{DAYS - 1}-{n}" for n in range(A_DAY - 1)]
    forget_all(engine, "shop", gone)
    add_all_deltas(engine)
    found = json.loads(iyu("--json").stdout)
    assert found["window"]["reviews"] == 7 * A_DAY - len(gone)
    last = [max(p, 1 - p) for p in kept[FIRST + timedelta(days=DAYS - 1)][-1:]]
    others = [max(p, 1 - p) for n in range(28, DAYS - 1) for p in kept[FIRST + timedelta(days=n)]]
    accuracy = found["figures"]["estimated_accuracy"]["window"]
    assert accuracy == pytest.approx(np.mean([*others, *last]))


def test_the_latest_run_of_each_source_is_on_the_page_and_in_metrics(
    iyu, engine: Engine, redis_server: Any
):
    store(engine, unsure)
    store(engine, usual, source="app", seed=6)
    for arguments in (("--source", "app"), ("--until", "2026-04-03"), (), ("--source", "shop")):
        iyu(*arguments)
    address = engine.url.render_as_string(hide_password=False)
    with served(address) as page:
        body = page.get("/state").body
        rows = json.loads(page.get("/state.json").body)["tables"]["drift"]["rows"]
    assert "The latest days beside those before" in body
    assert body.count("<strong>fell</strong>") == sum(row["alarm"] for row in rows) == 2
    assert {row["source"]: "estimated_accuracy" in row["noticed"] for row in rows} == {
        "app": False, None: True, "shop": True,
    }  # fmt: skip
    settings = Settings(broker_url=redis_server.url, database_url=address)
    seen = {
        (sample.name, sample.labels["source"]): sample.value
        for metric in IyuCollector(settings, engine).collect()
        for sample in metric.samples
        if "source" in sample.labels
    }
    assert [seen["iyu_drift_alarm", source] for source in ("app", "", "shop")] == [0, 1, 1]
    of_app = next(row for row in rows if row["source"] == "app")
    assert seen["iyu_estimated_accuracy", "app"] == pytest.approx(of_app["estimated_accuracy"])
    assert 0 <= seen["iyu_drift_age_seconds", "app"] < 600
