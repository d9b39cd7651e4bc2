"""`iyu keywords` over stored rows, on both databases."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review
from iyu.schemas.sql.engine import reading, writing
from iyu.worker.rows import write_chunk as store
from iyu.worker.scoring import Prediction
from tests.harness.explanations import explanation

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
WORDS = {
    "최고": ("NNG", 1.0), "재미있": ("VA", 0.5), "안": ("MAG", -0.5), "별로": ("MAG", -1.0),
    "은": ("JX", 0.25), ".": ("SF", -0.25),
}  # fmt: skip
TEXTS = ("최고 은 재미있 .", "별로 안 재미있", "최고 최고 .", "별로 은 .")


def prediction(review: str, liked: str | None = None) -> Prediction:
    tokens: list[dict[str, Any]] = []
    end = 0
    for word in review.split():
        pos, heat = WORDS[word]
        start = review.index(word, end)
        end = start + len(word)
        tokens.append({"surface": word, "start": start, "end": end, "pos": pos, "heat": heat})
    z = sum(token["heat"] for token in tokens)
    for token in tokens:
        token["heat"] *= -1.0 if token["surface"] == liked else 1.0
    return Prediction(0.9 if z > 0 else 0.1, z, len(tokens), 0, False, (explanation(tokens),))


@pytest.fixture
def database(database_url: str, engine: Engine) -> str:
    """Forty reviews, scored by two models; the second one likes 안."""
    reviews = tuple(Review(f"r{i}", TEXTS[i % 4]) for i in range(40))
    for version in ("old", "new"):
        write(engine, reviews, version)
    return database_url


def write(engine: Engine, reviews: tuple[Review, ...], version: str) -> None:
    liked = "안" if version == "new" else None
    predictions = [prediction(review.text, liked) for review in reviews]
    with writing(engine) as connection:
        manifest = {"preset": "source", "created_at": NOON.isoformat()}
        store.register_model(connection, version, manifest)
        store.write(connection, Chunk(new_id(), "shop", reviews, NOON), predictions, version)


def run_keywords(database: str, *options: str) -> Any:
    command = ["keywords", "--database", database, "--json", "--min-reviews", "1", *options]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout)


def test_the_words_are_listed_with_the_figures_of_the_view(database: str, engine: Engine):
    found = run_keywords(database, "--all", "--model", "new")
    assert [word["surface"] for word in found["positive"]] == ["최고", "재미있", "안"]
    assert [word["surface"] for word in found["negative"]] == ["별로"]
    with reading(engine) as connection:
        view = {
            row.surface: row
            for row in connection.execute(
                text("SELECT * FROM keyword_importance WHERE is_function = 0")
            )
        }
    assert view.keys() == {"최고", "재미있", "안", "별로"}
    for word in found["positive"] + found["negative"]:
        row = view[word["surface"]]
        figures = (row.reviews, row.occurrences, row.mean_heat, row.total_heat)
        names = ("reviews", "occurrences", "mean_heat", "total_heat")
        assert tuple(word[name] for name in names) == pytest.approx(figures)


def test_a_sample_is_balanced_and_examples_hold_their_word(database: str):
    found = run_keywords(database, "--sample", "10")
    assert found["reviews"] == 10
    for word in found["positive"] + found["negative"]:
        assert all(word["surface"] in example["text"] for example in word["examples"])


def test_models_are_compared_on_the_same_reviews(database: str):
    found = run_keywords(database, "--by", "model", "--all", "--model", "old", "--model", "new")
    assert found["model_versions"] == ["old", "new"]
    (change,) = found["changes"]
    assert change["surface"] == "안"
    assert change["before"] == -change["after"] < 0


def test_times_and_sources_narrow_the_question(database: str):
    assert run_keywords(database, "--since", "2026-05-01", "--until", "2026-05-02")["reviews"] == 40
    for options in (("--until", "2026-05-01"), ("--source", "other"), ("--method", "occlusion")):
        result = CliRunner().invoke(app, ["keywords", "--database", database, *options])
        assert result.exit_code == 2
        assert "no stored explanation" in result.stderr


def test_tables_are_for_people(database: str):
    for options in ((), ("--by", "model")):
        result = CliRunner().invoke(
            app, ["keywords", "--database", database, "--min-reviews", "1", *options]
        )
        assert result.exit_code == 0, result.output
        assert "안" in result.stdout
