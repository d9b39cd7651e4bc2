"""A second model over stored reviews beside live traffic, with real processes, until it is used."""

import itertools
import json
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from iyu.producer import Producer
from iyu.schemas.contract.message import Queue
from iyu.schemas.sql.engine import connect, reading
from tests.harness.polling import poll
from tests.harness.services import Process, iyu_command, run_iyu

pytestmark = pytest.mark.acceptance
log = logging.getLogger(__name__)

WHO = ("정말", "솔직히", "친구랑 봤는데", "와 😍")
WHAT = ("배우 연기가", "이야기가", "음악이", "결말이", "대사가", "화면이", "가격이", "배송이")
HOW = ("최고예요", "지루해요ㅠㅠ", "별로", "너무 좋았다ㅋㅋ", "최악이다", "감동적이었습니다")
STORED = {
    f"s-{n}": " ".join(words) for n, words in enumerate(itertools.product(WHO, WHAT, HOW, HOW))
}
LIVE = {f"live-{n}": f"{word} 지금 본 글" for n, word in enumerate(HOW)}
#: Small chunks and costly explanations: a campaign that live reviews can meet under way.
SLOW = {"IYU_CHUNK_SIZE": "16", "IYU_METHODS": "gradcam,occlusion,integrated_gradients"}
LOADED_SECONDS = 120.0
LIVE_SECONDS = 30.0


@pytest.fixture(scope="module")
def contrary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says the opposite of the shipped one."""
    from iyu.worker.model import artifact

    shipped = artifact.load("source")
    dense = shipped.keras_model.get_layer("probability")
    dense.set_weights([-weights for weights in dense.get_weights()])
    folder = tmp_path_factory.mktemp("models") / "contrary"
    artifact.save(folder, shipped.keras_model, shipped.vocabulary, shipped.manifest)
    return folder


class Site:
    """One installation, and what is asked of it."""

    def __init__(self, environment: dict[str, str], engine: Engine, cwd: Path) -> None:
        self.environment = environment | {"IYU_MODEL": "source"}  # the model `contrary` is made of
        self.engine = engine
        self.cwd = cwd

    def iyu(self, *arguments: str, code: int = 0) -> Any:
        """Run a command to its end; return its JSON, or its errors."""
        done = run_iyu(*arguments, environment=self.environment, cwd=self.cwd)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout) if "--json" in arguments else done.stderr

    def ask(self, query: str) -> list[Any]:
        with reading(self.engine) as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def shown(self) -> dict[str, int]:
        """How many reviews the view shows with which model."""
        return dict(self.ask("SELECT model_version, COUNT(*) FROM review_scores GROUP BY 1"))

    def rows_of(self, version: str) -> int:
        [(count,)] = self.ask(f"SELECT COUNT(*) FROM predictions WHERE model_version = '{version}'")
        return int(count)

    def submit(self, texts: dict[str, str], queue: Queue) -> None:
        with Producer(
            source="shop",
            broker_url=self.environment["IYU_BROKER_URL"],
            database_url=self.environment["IYU_DATABASE_URL"],
            queue=queue,
        ) as producer:
            producer.submit_many(texts.items())

    def wait_for(self, ids: dict[str, str], seconds: float) -> None:
        names = ", ".join(f"'{name}'" for name in ids)
        query = f"SELECT COUNT(*) FROM review_scores WHERE review_id IN ({names})"
        poll(seconds, lambda: self.ask(query) == [(len(ids),)])


@pytest.fixture
def site(environment: dict[str, str], tmp_path: Path):
    engine = connect(environment["IYU_DATABASE_URL"])
    yield Site(environment, engine, tmp_path)
    engine.dispose()


@pytest.mark.timeout(600)  # three campaigns, each with a worker that loads TensorFlow
def test_a_model_is_rolled_out_beside_live_traffic(
    site: Site,
    start: Callable[..., Process],
    start_worker: Callable[..., Process],
    contrary: Path,
):
    site.iyu("db", "upgrade")
    start_worker(site.environment)
    site.submit(STORED, Queue.BULK)
    site.wait_for(STORED, 60)
    [old] = site.shown()
    new = json.loads((contrary / "manifest.json").read_text())["model_version"]
    before = site.ask("SELECT * FROM predictions ORDER BY source, review_id")
    command = iyu_command("rescore", "--model", str(contrary), "--work", "--json")

    # A campaign can be stopped, and goes on.
    campaign = start(command, site.environment | SLOW)
    poll(LOADED_SECONDS, lambda: site.rows_of(new))
    campaign.signal(signal.SIGTERM)
    assert campaign.wait(60) == 130
    assert 0 < site.rows_of(new) < len(STORED)

    campaign = start(command, site.environment | SLOW)
    done = site.rows_of(new)
    poll(LOADED_SECONDS, lambda: site.rows_of(new) > done)
    began = time.monotonic()
    site.submit(LIVE, Queue.LIVE)
    site.wait_for(LIVE, LIVE_SECONDS)
    latency = time.monotonic() - began
    left = len(STORED) - site.rows_of(new)
    assert left > 0, f"the campaign was over before live reviews were scored ({latency:.1f} s)"
    assert site.shown() == {old: len(STORED) + len(LIVE)}
    assert campaign.wait(240) == 0, campaign.output()
    log.info("live reviews took %.2f s; %d of the campaign were left then", latency, left)

    # The last ones are those that came meanwhile; then nothing is left.
    site.iyu("rescore", "--model", str(contrary), "--work", "--json")
    assert site.iyu("rescore", "--model", str(contrary), "--json")["wanted"] == 0
    everywhere = len(STORED) + len(LIVE)
    assert (site.rows_of(old), site.rows_of(new)) == (everywhere, everywhere)

    # The views show the new model only when they are told, and no row of the old one changes.
    assert site.shown() == {old: everywhere}
    assert [m["current"] for m in site.iyu("models", "list", "--json")] == [True, False]
    found = site.iyu("models", "compare", old, new, "--json")
    assert found["reviews"] == everywhere
    assert found["agreement"] < 0.01
    site.iyu("models", "use", new)
    assert site.shown() == {new: everywhere}
    kept = site.ask(
        f"SELECT * FROM predictions WHERE model_version = '{old}' AND review_id LIKE 's-%' "
        "ORDER BY source, review_id"
    )
    assert kept == before


def test_a_wrong_model_is_refused_before_anything_starts(site: Site):
    site.iyu("db", "upgrade")
    assert "no model artifact" in site.iyu("rescore", "--model", "nonsense", code=2)
    told = site.iyu("worker", "--queues", "reviews.rescore.0123456789ab", code=2)
    assert "for another model than this worker" in told
    assert len(told.splitlines()) == 1
