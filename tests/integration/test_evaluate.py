"""`iyu evaluate`: what the worker stores is what the model says in this process."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from iyu.console.analysis.model_evaluation import (
    compare_with_rows,
    evaluate_in_process,
    write_predictions,
)
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review
from iyu.schemas.sql.engine import writing
from iyu.worker.rows import write_chunk as store
from iyu.worker.scoring import Scorer
from iyu.worker.training.data import LabelledReviews, read_labelled

TEXTS = ("정말 재미있는 영화", "지루하고 시간 아깝다", "또 보고 싶다", "최악 ㅠㅠ")


@pytest.fixture
def labelled(tmp_path: Path) -> LabelledReviews:
    path = tmp_path / "labelled.tsv"
    rows = [f"{i}\t{text}\t{1 - i % 2}" for i, text in enumerate(TEXTS)]
    path.write_text("id\tdocument\tlabel\n" + "\n".join(rows))
    return read_labelled(path)


def test_stored_rows_equal_the_probabilities_of_this_process(
    engine: Engine, labelled: LabelledReviews, tmp_path: Path
):
    address = engine.url.render_as_string(hide_password=False)
    report, found = evaluate_in_process("source", labelled)
    scorer = Scorer.load("source")
    reviews = tuple(map(Review, labelled.ids, labelled.texts))
    chunk = Chunk(new_id(), "shop", reviews, datetime.now(UTC))
    with writing(engine) as connection:
        store.write(connection, chunk, scorer.score(labelled.texts), scorer.artifact.model_version)
    rows = compare_with_rows(address, "shop", labelled, found, report)
    assert rows["greatest_difference"] <= 1e-5
    assert rows["auc"] == report["auc"]
    with pytest.raises(InputError, match="4 reviews have no row"):
        compare_with_rows(address, "elsewhere", labelled, found, report)
    write_predictions(tmp_path / "out.csv", labelled, found)
    written = np.loadtxt(tmp_path / "out.csv", delimiter=",", skiprows=1, usecols=2)
    np.testing.assert_allclose(written, found, rtol=1e-6)
