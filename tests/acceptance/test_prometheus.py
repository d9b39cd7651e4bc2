"""The real Prometheus: rules, dashboard, and totals of a run in which children were killed."""

import json
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, func, select

from iyu.producer.producer import Producer
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import progress
from iyu.schemas.ledger.chunks import State
from iyu.schemas.sql.engine import connect, reading, upgrade
from iyu.schemas.sql.tables import chunks, dead_letters, predictions
from tests.acceptance.faults.system import SETTINGS, child_of
from tests.harness.polling import poll
from tests.harness.ports import own_port
from tests.harness.services import ROOT, Process, child_environment, iyu_command
from tests.harness.skipping import skip_without

pytestmark = pytest.mark.acceptance

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "iyu.json").read_text())
RULES = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"][0]["rules"]
REVIEWS = 6_000
SECONDS = 120.0


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        skip_without(f"{name} (apt install prometheus)")
    return str(found)


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def answers(url: str) -> bool:
    try:
        return bool(fetch(url))
    except OSError:
        return False


def queries() -> list[str]:
    """Everything that the dashboard and the alerts ask."""
    panels = [
        target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())
    ]
    return panels + [rule["expr"] for rule in RULES]


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "rules.yml"), ("test", "rules", "rules_test.yml"),
     ("check", "config", "prometheus.yml")],
    ids=" ".join,
)  # fmt: skip
def test_promtool_is_content(arguments):
    done = subprocess.run(
        [program("promtool"), *arguments], cwd=PROMETHEUS, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_says_why_and_what_to_do_and_where_it_is_written():
    for rule in RULES:
        notes = rule["annotations"]
        assert len(notes["description"]) > 40, rule["alert"]
        page, _, anchor = notes["runbook"].partition("#")
        headings = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(), re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings}
        assert anchor in anchors, f"{rule['alert']} names {notes['runbook']}"


def test_every_alert_has_a_test_that_sees_it():
    tests = (PROMETHEUS / "rules_test.yml").read_text()
    assert [rule["alert"] for rule in RULES if rule["alert"] not in tests] == []


def test_the_dashboard_takes_its_data_source_from_a_variable():
    names = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert "datasource" in names
    sources = [panel["datasource"]["uid"] for panel in DASHBOARD["panels"] if "targets" in panel]
    assert set(sources) == {"${datasource}"}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


class Installation:
    """Redis, a database, `iyu metrics` and Prometheus over it."""

    def __init__(self, engine: Engine, environment: dict[str, str], start, folder: Path) -> None:
        self.engine = engine
        self.environment = environment
        self._start = start
        port = own_port(self)
        self.metrics = start(iyu_command("metrics", "--port", str(port)), environment)
        self.url = f"http://127.0.0.1:{port}"
        poll(SECONDS, lambda: answers(f"{self.url}/healthz"))
        self.prometheus = self._start_prometheus(port, folder)

    def _start_prometheus(self, port: int, folder: Path) -> str:
        config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(PROMETHEUS / "rules.yml")]
        config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        own = own_port(self)
        self._start(
            [program("prometheus"), f"--config.file={folder / 'prometheus.yml'}",
             f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{own}"],
            child_environment(),
        )  # fmt: skip
        poll(60, lambda: answers(f"http://127.0.0.1:{own}/-/ready"))
        return f"http://127.0.0.1:{own}"

    def worker(self) -> Process:
        """Start a worker that takes a millisecond more a review: an accident finds it at work."""
        command = [sys.executable, "-m", "tests.acceptance.faults.accidents", "slow"]
        return self._start(command, self.environment)

    def beat(self) -> None:
        self._start(iyu_command("beat"), self.environment)

    def ask(self, query: str) -> list[dict[str, Any]]:
        address = f"{self.prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        answer = json.loads(fetch(address))
        assert answer["status"] == "success", answer
        return list(answer["data"]["result"])

    def value(self, query: str) -> float | None:
        found = self.ask(query)
        return float(found[0]["value"][1]) if found else None

    def sql(self, query: Any) -> float:
        with reading(self.engine) as connection:
            return float(connection.execute(query).scalar() or 0)

    def pending(self) -> int:
        with reading(self.engine) as connection:
            return progress.pending(connection)


@pytest.fixture
def installation(redis_server, postgres_url: str, start, tmp_path: Path):
    engine = connect(postgres_url)
    upgrade(engine)
    environment = child_environment(
        IYU_BROKER_URL=redis_server.url,
        IYU_DATABASE_URL=postgres_url,
        IYU_HEARTBEAT_FILE=str(tmp_path / "heartbeat"),
        **SETTINGS,
    )
    yield Installation(engine, environment, start, tmp_path)
    engine.dispose()


def test_prometheus_and_sql_agree_after_a_run_with_accidents(
    installation: Installation, redis_server
):
    submit(installation)
    with redis_server.client() as broker:
        broker.rpop(Queue.BULK)  # lost: a sweep publishes it again
        broker.lpush(Queue.BULK, "no message at all")
    worker = installation.worker()
    installation.beat()
    kill_a_child_at_work(installation, worker)
    poll(SECONDS, lambda: installation.pending() == 0)

    totals = {
        "iyu_reviews_scored_total": select(func.count()).select_from(predictions),
        'iyu_chunks_finished_total{outcome="done"}': count(chunks.c.state == State.DONE),
        "iyu_chunk_retries_total": select(func.sum(chunks.c.attempts - 1)).where(
            chunks.c.attempts > 1
        ),
        "iyu_chunks_swept_total": select(func.sum(chunks.c.swept)),
        'iyu_dead_letters_buried_total{reason="bad-message"}': select(
            func.sum(dead_letters.c.seen)
        ),
    }
    expected = {query: installation.sql(statement) for query, statement in totals.items()}
    assert all(expected.values()), f"an accident did not happen: {expected}"
    assert expected["iyu_reviews_scored_total"] == REVIEWS

    def agree() -> bool:
        return {query: installation.value(f"sum({query})") for query in totals} == expected

    poll(30, agree)
    assert installation.value("sum(iyu_review_waiting_seconds_count)") == REVIEWS
    assert installation.value("sum(iyu_reviews_pending)") == 0
    assert installation.value("sum(iyu_workers)") == 1
    assert installation.ask("iyu_last_sweep_age_seconds")
    # While it went on, no counter fell from one scrape to the next.
    assert installation.value("sum(resets(iyu_reviews_scored_total[10m]))") == 0
    assert installation.value("sum(resets(iyu_chunks_swept_total[10m]))") == 0


def test_what_dashboard_and_alerts_ask_for_is_there(installation: Installation):
    families = text_string_to_metric_families(fetch(f"{installation.url}/metrics"))
    served = {sample.name for family in families for sample in family.samples}
    # Without rows there is no sample of a shown model, of workers, of a sweep and of a drift.
    later = {"iyu_shown_model_info", "iyu_workers", "iyu_last_sweep_age_seconds"}
    later |= {"iyu_drift_alarm"}
    named = {name for query in queries() for name in re.findall(r"\biyu_\w+", query)}
    assert named - served <= later
    for query in queries():
        plain = query.replace("$__rate_interval", "1m").replace("$instance", ".*")
        installation.ask(plain)
    assert fetch(f"{installation.url}/healthz") == "ok\n"


def submit(installation: Installation) -> None:
    settings = Settings(
        broker_url=installation.environment["IYU_BROKER_URL"],
        database_url=installation.environment["IYU_DATABASE_URL"],
        chunk_size=256,
    )
    with Producer(settings, source="shop", queue=Queue.BULK) as producer:
        producer.submit_many((str(number), f"글 {number} 좋아요") for number in range(REVIEWS))


def kill_a_child_at_work(installation: Installation, worker: Process) -> None:
    """Kill the process of a worker while it scores."""
    running = count(chunks.c.state == State.RUNNING)

    def is_at_work() -> bool:
        assert worker.running, worker.output()[-4000:]
        return bool(installation.sql(running))

    poll(SECONDS, is_at_work, every=0.01)
    child = child_of(worker)
    child.kill()
    poll(SECONDS, lambda: child_of(worker).pid != child.pid)


def count(condition: Any) -> Any:
    return select(func.count()).select_from(chunks).where(condition)
