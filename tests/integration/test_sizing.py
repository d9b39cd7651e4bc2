"""The SQL of the sizing plan does what the page says."""

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text

from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review
from iyu.schemas.sql.engine import connected, reading, upgrade, writing
from iyu.worker.rows import write_chunk as store
from iyu.worker.scoring import Prediction
from tests.harness.explanations import explanation
from tests.harness.services import ROOT

PAGE = (ROOT / "docs" / "performance.md").read_text()
(PARTITION,) = re.findall(r"```sql\n(.*?)\n```", PAGE, re.DOTALL)
NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=91)
TOKENS = [{"surface": "글", "start": 0, "end": 1, "pos": "NNG", "heat": 0.5}]
EXPLAINED = explanation(TOKENS)
SCORED = Prediction(0.75, 1.1, 1, 0, False, (EXPLAINED,))


def write(engine: Engine, ids: range, moment: datetime, word: str = "글") -> None:
    reviews = tuple(Review(f"{i:04d}", f"{word} {i}") for i in ids)
    with writing(engine) as connection:
        manifest = {"preset": "wide", "created_at": NOW.isoformat()}
        store.register_model(connection, "v1", manifest)
        chunk = Chunk(new_id(), "shop", reviews, moment)
        store.write(connection, chunk, [SCORED] * len(reviews), "v1")


def ask(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def run(engine: Engine, statement: str) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql(statement.replace("%", "%%"))


def test_partitions_keep_what_is_there_and_take_what_comes(postgres_url: str):
    with connected(postgres_url) as engine:
        upgrade(engine)
        write(engine, range(100), OLD)
        run(engine, PARTITION)
        write(engine, range(50, 200), NOW, "새")
        write(engine, range(50, 200), OLD)  # what comes late changes nothing
        assert ask(engine, "SELECT COUNT(*) FROM reviews_0") != [(0,)]
        for name in ("review_scores", "token_heat"):
            counted = f"SELECT COUNT(*), COUNT(DISTINCT review_id) FROM {name}"
            assert ask(engine, counted) == [(200, 200)]
        newer = "SELECT COUNT(*) FROM review_scores WHERE text LIKE '새%'"
        assert ask(engine, newer) == [(150,)]
