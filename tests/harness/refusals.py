"""Brings a Redis into the states in which it refuses commands, and out of them again."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from tests.harness.polling import poll
from tests.harness.services import RedisServer

#: The user whose rights are taken away; the others connect as the default user.
USER: Final = "worker"


def address_of_user(server: RedisServer) -> str:
    """Make the user, with every right, and return the address it connects to."""
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", USER, "on", ">secret", "~*", "&*", "+@all")
    return re.sub(r"//.*@", f"//{USER}:secret@", server.url)


@contextmanager
def demoted(server: RedisServer) -> Iterator[None]:
    """A failover made it a replica: READONLY, and UNBLOCKED for those that wait in BRPOP."""
    with server.client() as client:
        client.replicaof("127.0.0.1", "1")
        yield
        client.replicaof("NO", "ONE")


@contextmanager
def without_replicas(server: RedisServer) -> Iterator[None]:
    """It has fewer replicas than it must have: NOREPLICAS."""
    with server.client() as client:
        client.config_set("min-replicas-to-write", 1)
        yield
        client.config_set("min-replicas-to-write", 0)


@contextmanager
def unable_to_save(server: RedisServer) -> Iterator[None]:
    """Its snapshot cannot be written, as with a full disk: MISCONF."""
    blocking = server.folder / "dump.rdb"
    blocking.unlink(missing_ok=True)
    blocking.mkdir()  # a rename onto a folder fails, for root too
    with server.client() as client:
        client.config_set("save", "3600 1000000")
        client.bgsave()
        poll(10, lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        yield
        blocking.rmdir()
        client.bgsave()
        poll(10, lambda: client.info("persistence")["rdb_last_bgsave_status"] == "ok")
        client.config_set("save", "")


@contextmanager
def without_a_right(server: RedisServer) -> Iterator[None]:
    """The user may read and not write: NOPERM."""
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", USER, "-@write")
        yield
        client.execute_command("ACL", "SETUSER", USER, "+@write")


#: Each state, and the word that its one line must hold.
REFUSALS: Final[dict[str, tuple[Callable[[RedisServer], object], str]]] = {
    "READONLY": (demoted, "read-only replica"),
    "NOREPLICAS": (without_replicas, "too few replicas"),
    "MISCONF": (unable_to_save, "cannot save its file"),
    "NOPERM": (without_a_right, "lacks a right"),
}
