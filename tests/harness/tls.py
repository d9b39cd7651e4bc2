"""TLS for the tests' own servers: certificates for 127.0.0.1, and a Redis that speaks both."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.harness.ports import own_port
from tests.harness.services import RedisServer
from tests.harness.skipping import skip_without


@dataclass(frozen=True)
class Certificates:
    """An authority, and a server's certificate that it signed."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def redis_options(self) -> dict[str, str]:
        """What Redis and Sentinel are told, beside their `tls-port`."""
        return {
            "tls-cert-file": str(self.folder / "server.pem"),
            "tls-key-file": str(self.folder / "server.key"),
            "tls-ca-cert-file": str(self.ca),
            "tls-auth-clients": "no",
        }


def make_certificates(folder: Path) -> Certificates:
    """Write an authority, and a certificate for 127.0.0.1, into a folder."""
    if shutil.which("openssl") is None:
        skip_without("openssl")

    def openssl(*arguments: str | Path) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=iyu test",
            "-days", "2", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=broker")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.pem")  # fmt: skip
    return Certificates(folder)


def also_with_tls(server: RedisServer, certificates: Certificates) -> int:
    """Let a running Redis listen with TLS too, and return that port."""
    port = own_port(server)
    with server.client() as client:
        try:
            client.config_set(*_flat(certificates.redis_options), "tls-port", port)
        except redis.ResponseError as error:
            skip_without(f"a redis-server that is built with TLS ({error})")
    return port


def _flat(options: dict[str, str]) -> list[str]:
    return [word for pair in options.items() for word in pair]
