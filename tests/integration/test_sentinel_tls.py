"""Sentinels and Redis behind TLS, with a user of its own rights: found, followed, and verified."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from iyu.schemas.broker.broker_errors import raising_broker_errors
from iyu.schemas.broker.publisher import make_app
from iyu.schemas.broker.redis_address import redis_client
from iyu.schemas.contract.errors import BrokerUnavailable, SettingsError
from iyu.worker.service.celery_app import make_worker_app
from iyu.worker.settings import WorkerSettings
from tests.harness.polling import poll
from tests.harness.ports import own_port
from tests.harness.services import RedisServer
from tests.harness.skipping import skip_without
from tests.harness.tls import Certificates, also_with_tls, make_certificates

MASTER = "reviews"
USER, PASSWORD = "iyu-worker", "hunter2"
RIGHTS = (
    f"on >{PASSWORD} resetchannels -@all +ping +hello +auth +select +info +lpush +llen ~reviews.*"
)


@dataclass
class Watched:
    """A Sentinel that speaks TLS alone, over a master and a replica that it reaches by TLS."""

    port: int
    tls_ports: dict[int, RedisServer]
    certificates: Certificates

    def url(self, parameters: str = "?ssl_ca_certs={ca}", scheme: str = "sentinels") -> str:
        parameters = parameters.format(ca=self.certificates.ca)
        return f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{self.port}/0{parameters}"

    def sentinel(self) -> redis.Redis:
        ca = str(self.certificates.ca)
        return redis.Redis("127.0.0.1", self.port, ssl=True, ssl_ca_certs=ca)

    def is_watching(self) -> bool:
        with suppress(redis.RedisError), self.sentinel() as client:
            return int(client.sentinel_master(MASTER)["num-slaves"]) == 1
        return False

    def master(self) -> RedisServer | None:
        """The server that is the master now, if one says so itself."""
        for server in self.tls_ports.values():
            with suppress(redis.RedisError), server.client() as client:
                if client.role()[0] == "master":
                    return server
        return None


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    program = shutil.which("redis-sentinel")
    if program is None:
        skip_without("redis-sentinel (apt install redis-sentinel)")
    folder = tmp_path_factory.mktemp("sentinel")
    certificates = make_certificates(folder)
    servers = [RedisServer(folder / name) for name in ("master", "replica")]
    owner = Owner()
    try:
        tls_ports = {start_server(server, certificates): server for server in servers}
        master_port, _ = tls_ports
        follow(servers[1], master_port)
        port = own_port(owner)
        file = folder / "sentinel.conf"
        file.write_text(configuration(port, master_port, certificates, folder))
        process = subprocess.Popen([program, file], stdout=subprocess.DEVNULL)
        try:
            found = Watched(port, tls_ports, certificates)
            poll(60, found.is_watching)
            yield found
        finally:
            process.kill()
            process.wait()
    finally:
        for server in servers:
            server.kill()


class Owner:
    """Holds a port."""


def start_server(server: RedisServer, certificates: Certificates) -> int:
    """Start a Redis that replicates by TLS, with the user; return its port with TLS."""
    try:
        server.start()
    except SettingsError as error:
        skip_without(str(error))
    port = also_with_tls(server, certificates)
    with server.client() as client:
        client.config_set("tls-replication", "yes")
        client.config_set("repl-diskless-sync-delay", 0)
        client.config_set("replica-announce-port", port)
        client.config_set("masterauth", PASSWORD)
        client.config_set("requirepass", PASSWORD)
        client.execute_command("ACL", "SETUSER", USER, *RIGHTS.split())
    server.password = PASSWORD
    return port


def follow(replica: RedisServer, master_port: int) -> None:
    with replica.client() as client:
        client.replicaof("127.0.0.1", master_port)
        poll(60, lambda: client.info("replication")["master_link_status"] == "up")


def configuration(port: int, master: int, certificates: Certificates, folder: Path) -> str:
    options = "\n".join(f"{name} {value}" for name, value in certificates.redis_options.items())
    return (
        f"port 0\ntls-port {port}\nbind 127.0.0.1\ndir {folder}\nprotected-mode no\n{options}\n"
        f"tls-replication yes\n"
        f"sentinel monitor {MASTER} 127.0.0.1 {master} 1\n"
        f"sentinel auth-pass {MASTER} {PASSWORD}\n"
        f"sentinel down-after-milliseconds {MASTER} 1000\n"
        f"sentinel failover-timeout {MASTER} 5000\n"
    )


def settings_for(address: str) -> WorkerSettings:
    return WorkerSettings.load(broker_url=address, redis_master=MASTER)


def ping_as_producer(address: str) -> bool:
    with redis_client(settings_for(address)) as client:
        return bool(client.ping())


def ping_as_publisher(address: str) -> bool:
    with make_app(settings_for(address)).connection_for_write() as connection:
        return bool(connection.default_channel.client.ping())


def ping_as_worker(address: str) -> bool:
    """Over the connection that waits for messages."""
    with make_worker_app(settings_for(address)).connection_for_read() as connection:
        return bool(connection.default_channel._create_client(asynchronous=True).ping())


SIDES = pytest.mark.parametrize("ping", [ping_as_producer, ping_as_publisher, ping_as_worker])


@SIDES
@pytest.mark.parametrize("parameters", ["?ssl_ca_certs={ca}", "?ssl_cert_reqs=none"])
def test_the_master_is_found_over_tls(
    watched: Watched, ping: Callable[[str], bool], parameters: str
):
    assert ping(watched.url(parameters))


@SIDES
@pytest.mark.parametrize(
    ("scheme", "parameters"), [("sentinels", ""), ("sentinel", "")], ids=["untrusted", "plain"]
)
def test_nobody_is_told_the_password_without_a_trusted_certificate(
    watched: Watched, ping: Callable[[str], bool], scheme: str, parameters: str
):
    address = watched.url(parameters, scheme)
    with pytest.raises(BrokerUnavailable) as refused, raising_broker_errors(address):
        ping(address)
    assert PASSWORD not in str(refused.value)


def test_a_client_follows_a_failover_over_tls(watched: Watched):
    before = watched.master()
    assert before is not None
    with redis_client(settings_for(watched.url())) as client:
        assert client.lpush("reviews.bulk", "first") == 1
        before.kill()
        poll(60, lambda: watched.master() is not None)

        def accepts() -> bool:
            with suppress(redis.RedisError):
                return bool(client.lpush("reviews.bulk", "second"))
            return False

        poll(60, accepts)
        new_master = watched.master()
        assert new_master is not None
        assert new_master is not before
        with new_master.client() as plain:
            assert "second" in plain.lrange("reviews.bulk", 0, -1)
    assert ping_as_worker(watched.url())
