"""A broker behind TLS: producer and worker trust the same certificates, and no other."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from iyu.schemas.broker.broker_errors import raising_broker_errors
from iyu.schemas.broker.publisher import make_app
from iyu.schemas.broker.redis_address import redis_client
from iyu.schemas.contract.errors import BrokerUnavailable
from iyu.worker.service.celery_app import make_worker_app
from iyu.worker.settings import WorkerSettings
from tests.harness.polling import poll
from tests.harness.ports import own_port
from tests.harness.skipping import skip_without
from tests.harness.tls import make_certificates

PASSWORD = "hunter2"


class TlsRedis:
    """A redis-server that speaks TLS alone, with a certificate for 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        certificates = make_certificates(folder)
        self.ca = certificates.ca
        self.port = own_port(self)
        options = [
            word
            for name, value in certificates.redis_options.items()
            for word in (f"--{name}", value)
        ]
        self._process = subprocess.Popen(
            [
                "redis-server", "--port", "0", "--tls-port", str(self.port), "--bind", "127.0.0.1",
                *options, "--save", "", "--requirepass", PASSWORD, "--dir", folder,
            ],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def url(self, parameters: str = "", host: str = "127.0.0.1") -> str:
        return f"rediss://:{PASSWORD}@{host}:{self.port}/0{parameters}"

    def answers(self) -> bool:
        assert self._process.poll() is None, "redis-server ended; is it built with TLS?"
        with suppress(redis.ConnectionError):
            return ping_as_producer(self.url("?ssl_cert_reqs=none"))
        return False

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRedis]:
    if shutil.which("redis-server") is None:
        skip_without("redis-server")
    server = TlsRedis(tmp_path_factory.mktemp("tls"))
    try:
        poll(30, server.answers)
        yield server
    finally:
        server.kill()


def ping_as_producer(address: str) -> bool:
    with redis_client(WorkerSettings.load(broker_url=address)) as client:
        return bool(client.ping())


def ping_as_publisher(address: str) -> bool:
    app = make_app(WorkerSettings.load(broker_url=address))
    with app.connection_for_write() as connection:
        return bool(connection.default_channel.client.ping())


def ping_as_worker(address: str) -> bool:
    """Over the connection that waits for messages."""
    app = make_worker_app(WorkerSettings.load(broker_url=address))
    with app.connection_for_read() as connection:
        return bool(connection.default_channel._create_client(asynchronous=True).ping())


SIDES = pytest.mark.parametrize("ping", [ping_as_producer, ping_as_publisher, ping_as_worker])


@SIDES
@pytest.mark.parametrize(
    ("parameters", "host"),
    [
        ("?ssl_ca_certs={ca}", "127.0.0.1"),
        ("?ssl_cert_reqs=none", "127.0.0.1"),
        ("?ssl_cert_reqs=none", "localhost"),
        ("?ssl_ca_certs={ca}&ssl_check_hostname=false", "localhost"),
    ],
)
def test_a_trusted_server_is_reached(
    server: TlsRedis, ping: Callable[[str], bool], parameters: str, host: str
):
    assert ping(server.url(parameters.format(ca=server.ca), host))


@SIDES
@pytest.mark.parametrize(
    ("parameters", "host"),
    [
        ("", "127.0.0.1"),  # nobody signed it whom this machine trusts
        ("?ssl_ca_certs={ca}", "localhost"),  # it is another one's
        ("?ssl_cert_reqs=required", "127.0.0.1"),
    ],
)
def test_a_server_that_nobody_vouches_for_gets_no_password(
    server: TlsRedis, ping: Callable[[str], bool], parameters: str, host: str
):
    address = server.url(parameters.format(ca=server.ca), host)
    with pytest.raises(BrokerUnavailable) as refused, raising_broker_errors(address):
        ping(address)
    assert "certificate" in str(refused.value)
    assert PASSWORD not in str(refused.value)
