"""The main job with real processes: a file goes in, rows with reasons come out, SQL answers."""

import csv
import itertools
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from iyu.console.demo.reviews import write_reviews
from iyu.schemas.sql.engine import connect, reading
from tests.harness.services import child_environment, run_iyu

pytestmark = pytest.mark.acceptance

COLUMNS = ("--id-column", "id", "--text-column", "text")
QUERY = """
SELECT surface, AVG(heat), COUNT(*) FROM token_heat
GROUP BY surface HAVING COUNT(*) >= 50 ORDER BY 2 LIMIT 20
"""
BEGINNINGS = (
    "정말",
    "솔직히",
    "친구랑 봤는데",
    "기대했는데",
    "주말에 본",
    "와 😍",
    "음...",
    "결국",
)
MIDDLES = ("배우 연기가", "이야기가", "음악이", "결말이", "대사가", "화면이", "가격이", "배송이")
ENDS = ("최고예요", "지루해요ㅠㅠ", "별로", "너무 좋았다ㅋㅋ", "최악이다", "감동적이었습니다")


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """A file with more reviews than one chunk holds, and the demo's with its two bad ones."""
    path = tmp_path / "reviews.tsv"
    write_reviews(path)
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        for number, words in enumerate(itertools.product(BEGINNINGS, MIDDLES, ENDS, ENDS)):
            writer.writerow((f"made-{number}", " ".join(words)))
    return path


@pytest.fixture
def engine(environment: dict[str, str]):
    engine = connect(environment["IYU_DATABASE_URL"])
    yield engine
    engine.dispose()


def everything(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """All rows that other systems read."""
    tables = ("reviews", "predictions", "explanations", "models")
    with reading(engine) as connection:
        return {
            name: sorted(map(str, connection.execute(text(f"SELECT * FROM {name}"))))
            for name in tables
        }


def submit(path: Path, environment: dict[str, str], tmp_path: Path):
    done = run_iyu(
        "submit", str(path), *COLUMNS, "--source", "test", "--wait",
        environment=environment, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def test_a_file_becomes_rows_with_reasons(
    environment, engine, start_worker, reviews: Path, tmp_path: Path
):
    upgraded = run_iyu("db", "upgrade", environment=environment, cwd=tmp_path)
    assert upgraded.returncode == 0, upgraded.stderr
    worker = start_worker(environment)
    lines = reviews.read_text(encoding="utf-8").count("\n") - 1

    submit(reviews, environment, tmp_path)
    first = everything(engine)
    assert len(first["reviews"]) == len(first["predictions"]) == lines - 2
    assert len(first["explanations"]) == lines - 2

    assert_tokens_stand_in_their_texts(engine)
    with reading(engine) as connection:
        answer = connection.execute(text(QUERY)).fetchall()
    heats = [heat for _, heat, _ in answer if heat is not None]
    assert heats == sorted(heats)
    assert heats[0] < 0
    assert {"최악", "별로", "지루"} & {surface for surface, _, _ in answer}

    submit(reviews, environment, tmp_path)
    assert everything(engine) == first
    assert "최고예요" not in worker.output()


def assert_tokens_stand_in_their_texts(engine: Engine) -> None:
    query = """
    SELECT r.text, t.surface, t.start, t."end" FROM reviews AS r
    JOIN token_heat AS t ON t.source = r.source AND t.review_id = r.review_id
    """
    with reading(engine) as connection:
        rows = connection.execute(text(query)).fetchall()
        assert {review for review, *_ in rows} == set(
            connection.scalars(text("SELECT text FROM reviews"))
        )
    for review, surface, start, end in rows:
        assert review[start:end] == surface != ""


def test_the_demo_shows_scored_reviews_and_its_questions_work(tmp_path: Path):
    done = run_iyu("demo", environment=child_environment(), cwd=tmp_path, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 of 40 scored reviews" in done.stdout
    assert "[+" in done.stdout
    assert "[-" in done.stdout
    environment = child_environment(
        IYU_DATABASE_URL=f"sqlite:///{tmp_path / 'demo-data' / 'iyu.db'}"
    )
    trend = "SELECT COUNT(*) AS words FROM keyword_trend"
    counted = run_iyu("sql", trend, "--json", environment=environment, cwd=tmp_path)
    assert json.loads(counted.stdout)["words"] > 50, "the page would show no words"
    queries = [line.split('sql "')[1][:-1] for line in done.stdout.splitlines() if 'sql "' in line]
    assert len(queries) >= 3
    for query in queries:
        answer = run_iyu("sql", query, "--json", environment=environment, cwd=tmp_path)
        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout.splitlines()[0])


BAD_FILES = {
    "nothing.csv": b"",
    "column.csv": "id,comment\n1,좋아요\n".encode(),
    "encoding.csv": b"id,text\n1,\xff\xfe\x80\x81\n",
    "broken.parquet": b"PAR1 this is none PAR1",
}


@pytest.mark.parametrize("name", ["no-such-file.csv", *BAD_FILES])
def test_a_bad_file_ends_in_one_line_and_writes_nothing(
    name, redis_server, sqlite_url, tmp_path: Path
):
    environment = child_environment(IYU_BROKER_URL=redis_server.url, IYU_DATABASE_URL=sqlite_url)
    assert run_iyu("db", "upgrade", environment=environment, cwd=tmp_path).returncode == 0
    if name in BAD_FILES:
        (tmp_path / name).write_bytes(BAD_FILES[name])
    done = run_iyu("submit", name, *COLUMNS, environment=environment, cwd=tmp_path)
    assert done.returncode == 2
    assert_one_line(done.stderr, naming=name)
    with redis_server.client() as client:
        assert client.llen("reviews.bulk") == 0


@pytest.mark.parametrize(
    "broken",
    [
        {"IYU_BROKER_URL": "redis://:hidden@127.0.0.1:1/0"},
        {"IYU_DATABASE_URL": "postgresql://iyu:hidden@127.0.0.1:1/iyu"},
    ],
)
def test_a_service_that_does_not_answer_is_named_without_its_password(
    broken, redis_server, sqlite_url, tmp_path: Path
):
    good = child_environment(IYU_BROKER_URL=redis_server.url, IYU_DATABASE_URL=sqlite_url)
    assert run_iyu("db", "upgrade", environment=good, cwd=tmp_path).returncode == 0
    (tmp_path / "good.csv").write_text("id,text\n1,좋아요\n", encoding="utf-8")
    done = run_iyu("submit", "good.csv", *COLUMNS, environment=good | broken, cwd=tmp_path)
    assert done.returncode == 3
    assert_one_line(done.stderr, naming="127.0.0.1:1")
    assert "hidden" not in done.stdout + done.stderr


def assert_one_line(stderr: str, *, naming: str) -> None:
    errors = [line for line in stderr.splitlines() if "error" in line]
    assert len(errors) == 1
    assert naming in errors[0]
    assert "Traceback" not in stderr
