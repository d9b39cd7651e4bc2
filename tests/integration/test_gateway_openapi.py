"""The gateway answers as its description says, whatever is sent to it (Schemathesis)."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from iyu.console.gateway.app import ROUTES
from iyu.console.gateway.openapi import make_document
from iyu.schemas.sql.engine import connected, upgrade
from tests.harness.fakes import FakeBroker
from tests.harness.gateway_server import Client, served

DOCUMENT = make_document()
DESCRIPTION = schemathesis.openapi.from_dict(DOCUMENT)
#: Not among them: that whatever fits the description is taken (which cursors there are, and what
#: counts as blank, no description can say), and that all else is refused: a header that is left
#: out is sent after all, for the token. test_gateway_requests.py has what must be refused.
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    file = tmp_path_factory.mktemp("gateway") / "iyu.db"
    with connected(f"sqlite:///{file}") as engine:
        upgrade(engine)
        with served(engine, FakeBroker()) as running:
            yield running.client("shop")


# It can write JSON alone; test_gateway.py sends lines.
@pytest.mark.filterwarnings("ignore:Skipped test cases with unsupported payload")
@DESCRIPTION.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_address_answers_as_it_is_described(case: schemathesis.Case, client: Client):
    headers = {"Authorization": f"Bearer {client.token}"}
    # With it a wrong review is no wrong request. Not a set: it may be a list.
    if case.query.get("skip_rejected") in (True, "true"):
        case.query["skip_rejected"] = "false"
    address = f"http://127.0.0.1:{client.port}"
    case.call_and_validate(base_url=address, headers=headers, checks=CHECKS)


def test_every_address_is_described():
    described = {
        (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods
    }
    assert described == {(method, path.replace(":anything", "")) for method, path, _ in ROUTES}
