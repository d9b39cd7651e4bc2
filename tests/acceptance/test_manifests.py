"""deploy/kubernetes without a cluster: valid, and every name in it is one that exists."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from sqlalchemy import text
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.schemas.contract.message import Chunk, Purpose, Queue, Rescore, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql.engine import connected, reading, upgrade, writing
from iyu.worker.service.probe_files import beat_file, ready_file
from iyu.worker.settings import WorkerSettings
from tests.harness.services import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
BASE = FOLDER / "base"
KEDA = yaml.safe_load_all((FOLDER / "keda" / "scaledobject.yaml").read_text())
SCALED, AUTHENTICATION = KEDA
KEDA_DEFINITIONS = json.loads((Path(__file__).parent / "keda_definitions.json").read_text())
KUSTOMIZATION = yaml.safe_load((BASE / "kustomization.yaml").read_text())
#: Two versions that clusters run, beside the newest that the validator knows.
KUBERNETES = ("1.31", "1.33", kubernetes_validate.latest_version())
DOCUMENTS = [
    document
    for name in (*KUSTOMIZATION["resources"], "secret.example.yaml")
    for document in yaml.safe_load_all((BASE / name).read_text())
]
CONTAINERS = [
    (document, container)
    for document in DOCUMENTS
    if document["kind"] in {"Deployment", "Job"}
    for kind in ("initContainers", "containers")
    for container in document["spec"]["template"]["spec"].get(kind, ())
]
names = [f"{document['metadata']['name']}-{c['name']}" for document, c in CONTAINERS]
each_container = pytest.mark.parametrize(("document", "container"), CONTAINERS, ids=names)


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {d["metadata"]["name"]: d for d in DOCUMENTS if d["kind"] == kind}


def configured() -> dict[str, str]:
    [generated] = KUSTOMIZATION["configMapGenerator"]
    return dict(literal.split("=", 1) for literal in generated["literals"])


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_every_document(version: str):
    for document in DOCUMENTS:
        kubernetes_validate.validate(document, version, strict=True)


def test_every_file_is_a_resource():
    files = {path.name for path in BASE.glob("*.yaml")}
    assert files - {"kustomization.yaml", "secret.example.yaml"} == set(KUSTOMIZATION["resources"])


@pytest.mark.parametrize("overlay", ["base", "keda"])
def test_kustomize_builds_it(overlay: str):
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is missing: kustomize was not run")
    built = subprocess.run(
        [kubectl, "kustomize", FOLDER / overlay], capture_output=True, text=True, check=True
    )
    documents = {(d["kind"], d["metadata"]["name"]): d for d in yaml.safe_load_all(built.stdout)}
    worker = documents["Deployment", "iyu-worker"]["spec"]
    assert ("replicas" in worker) == (overlay == "base")
    [container] = worker["template"]["spec"]["containers"]
    assert container["image"] == f"iyu:{KUSTOMIZATION['images'][0]['newTag']}"
    [settings] = [name for kind, name in documents if kind == "ConfigMap"]
    assert container["envFrom"][0]["configMapRef"]["name"] == settings


@each_container
def test_the_command_exists_with_its_options(document: Any, container: Any):
    for words in commands(container):
        helped(words)


def helped(words: list[str]) -> str:
    """The help of a command; an unknown command or option in front of it is an error."""
    done = CliRunner().invoke(app, [*words, "--help"])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_command_or_an_option_that_does_not_exist_would_be_seen():
    for words in (["beet"], ["metrics", "--hots", "0.0.0.0"], ["db", "upgarde"]):
        assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 2


def commands(container: dict[str, Any]) -> Iterator[list[str]]:
    """The iyu commands that a container runs."""
    if "args" in container:
        assert "command" not in container, "the image's entry point is iyu"
        yield [str(word) for word in container["args"]]
    for word in container.get("command", ()):
        for found in re.findall(r"\biyu ([a-z ]+?)(?:;|$)", word):
            yield found.split()


@each_container
def test_it_runs_as_nobody_special_on_a_file_system_it_cannot_write(document, container):
    pod = document["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    user = pod["securityContext"]["runAsUser"]
    assert f"USER {user}:{user}" in (ROOT / "Dockerfile").read_text()
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    writable = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert writable == {"/tmp"}
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


@each_container
def test_it_reads_its_settings_from_what_is_there(document, container):
    sources = container["envFrom"]
    assert [next(iter(source)) for source in sources] == ["configMapRef", "secretRef"]
    assert sources[0]["configMapRef"]["name"] == KUSTOMIZATION["configMapGenerator"][0]["name"]
    assert sources[1]["secretRef"]["name"] in of_kind("Secret")


def test_every_variable_is_one_that_iyu_reads():
    secret = of_kind("Secret")["iyu-addresses"]
    known = {f"IYU_{name.upper()}" for name in WorkerSettings.model_fields}
    assert configured().keys() | secret["stringData"].keys() <= known


def test_the_settings_are_valid_together(monkeypatch: pytest.MonkeyPatch):
    secret = of_kind("Secret")["iyu-addresses"]
    for name, value in (configured() | secret["stringData"]).items():
        monkeypatch.setenv(name, value)
    settings = WorkerSettings.load()
    worker = of_kind("Deployment")["iyu-worker"]["spec"]["template"]["spec"]
    assert worker["terminationGracePeriodSeconds"] > settings.task_time_limit
    processes = settings.concurrency
    assert int(worker["containers"][0]["resources"]["requests"]["cpu"]) == processes


@pytest.mark.parametrize("name", ["metrics", "web", "gateway"])
def test_every_port_is_the_one_that_is_listened_on(name: str):
    pod = of_kind("Deployment")[f"iyu-{name}"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    [port] = container["ports"]
    words = container["args"]
    assert words[words.index("--port") + 1] == str(port["containerPort"])
    assert words[words.index("--host") + 1] == "0.0.0.0"
    service = of_kind("Service")[f"iyu-{name}"]
    assert [p["targetPort"] for p in service["spec"]["ports"]] == [port["name"]]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        [asked] = [how for key, how in container[probe].items() if key in {"httpGet", "tcpSocket"}]
        assert asked["port"] == port["name"]
    [policy] = [
        p for p in of_kind("NetworkPolicy").values() if p["metadata"]["name"] == f"iyu-{name}"
    ]
    assert policy["spec"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": port["name"]}]


def test_prometheus_finds_the_metrics():
    service = of_kind("Service")["iyu-metrics"]
    annotations = service["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(service["spec"]["ports"][0]["port"])
    assert annotations["prometheus.io/path"] == "/metrics"
    [container] = of_kind("Deployment")["iyu-metrics"]["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_the_page_gets_its_token_from_a_secret():
    [container] = of_kind("Deployment")["iyu-web"]["spec"]["template"]["spec"]["containers"]
    [variable] = container["env"]
    assert variable["name"] in helped(["web"])
    wanted = variable["valueFrom"]["secretKeyRef"]
    assert wanted["key"] in of_kind("Secret")[wanted["name"]]["stringData"]


def test_every_selector_finds_its_pods():
    pods = [d["spec"]["template"]["metadata"]["labels"] for d in of_kind("Deployment").values()]
    selectors = [d["spec"]["selector"]["matchLabels"] for d in of_kind("Deployment").values()]
    selectors += [d["spec"]["selector"] for d in of_kind("Service").values()]
    budgets = of_kind("PodDisruptionBudget").values()
    selectors += [d["spec"]["selector"]["matchLabels"] for d in budgets]
    policies = of_kind("NetworkPolicy").values()
    selectors += [d["spec"]["podSelector"]["matchLabels"] for d in policies]
    for selector in selectors:
        assert [pod for pod in pods if selector.items() <= pod.items()], selector


def probes() -> list[tuple[str, list[str]]]:
    """Every command that a probe runs."""
    return [
        (f"{container['name']}-{name}", container[name]["exec"]["command"])
        for _, container in CONTAINERS
        for name in ("startupProbe", "readinessProbe", "livenessProbe")
        if "exec" in container.get(name, {})
    ]


@pytest.mark.parametrize(("name", "command"), probes(), ids=[name for name, _ in probes()])
def test_a_probe_tells_fresh_from_stale_without_python(name, command, tmp_path: Path):
    file = re.search(r"/tmp/iyu\.\w+", " ".join(command))
    assert file is not None
    heartbeat = Path(configured()["IYU_HEARTBEAT_FILE"])
    assert Path(file[0]) in {heartbeat, ready_file(heartbeat), beat_file(heartbeat)}
    here = tmp_path / "file"
    words = [word.replace(file[0], str(here)) for word in command]

    def passes() -> bool:
        return subprocess.run(words, check=False, capture_output=True).returncode == 0

    assert not passes()
    here.touch()
    assert passes()
    old = time.time() - 3600
    os.utime(here, (old, old))
    assert passes() == ("-newermt" not in " ".join(command))


@pytest.mark.parametrize("document", [SCALED, AUTHENTICATION], ids=lambda one: one["kind"])
def test_keda_takes_its_resources(document: dict[str, Any]):
    """Against the definitions that KEDA itself gives to a cluster, with unknown fields refused."""
    assert document["apiVersion"] == "keda.sh/v1alpha1"
    definition = KEDA_DEFINITIONS[document["kind"]]
    jsonschema.validate(document, definition)
    mistyped = {**document, "spec": {**document["spec"], "triger": []}}
    with pytest.raises(jsonschema.ValidationError, match="triger"):
        jsonschema.validate(mistyped, definition)


def test_keda_scales_what_there_is_by_what_is_pending(postgres_url: str):
    assert SCALED["spec"]["scaleTargetRef"]["name"] in of_kind("Deployment")
    [trigger] = SCALED["spec"]["triggers"]
    assert trigger["type"] == "postgresql"
    assert trigger["authenticationRef"]["name"] == AUTHENTICATION["metadata"]["name"]
    secret = of_kind("Secret")["iyu-addresses"]
    for target in AUTHENTICATION["spec"]["secretTargetRef"]:
        assert target["name"] == secret["metadata"]["name"]
        assert target["key"] in secret["stringData"]
    # All workers run before producers have to wait.
    most = SCALED["spec"]["maxReplicaCount"] * int(trigger["metadata"]["targetQueryValue"])
    assert most <= Settings().high_water
    with connected(postgres_url) as engine:
        upgrade(engine)
        texts = tuple(Review(str(number), "글") for number in range(5))
        queues: tuple[Purpose, ...] = (Queue.LIVE, Queue.BULK, Queue.BULK, Rescore("v2"))
        new = [Chunk(new_id(), "shop", texts, utc_now(), None, queue) for queue in queues]
        with reading(engine) as connection:
            assert connection.execute(text(trigger["metadata"]["query"])).scalar() == 0
        with writing(engine) as connection:
            ledger.accept(connection, new)
            ledger.begin(connection, new[0])
            ledger.finish(connection, new[1].chunk_id)
        with reading(engine) as connection:
            assert connection.execute(text(trigger["metadata"]["query"])).scalar() == 10
