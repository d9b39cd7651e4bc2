"""A TCP proxy that can forget its connections without closing them."""

import selectors
import socket
import threading
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards a loopback port to another one."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._peers: dict[socket.socket, socket.socket] = {}
        self.frozen: list[socket.socket] = []
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def freeze(self) -> None:
        """Leave every connection open and deaf, as a lost route would; new ones work."""
        self._wanted.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()
        for one in (*self._peers, *self.frozen, self._listener):
            one.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            if self._wanted.is_set():
                self._wanted.clear()
                self._forget()
            for key, _ in self._selector.select(timeout=0.05):
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._forward(key.fileobj)  # type: ignore[arg-type]

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:  # nobody listens there just now
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _forward(self, one: socket.socket) -> None:
        if one not in self._peers:
            return
        try:
            data = one.recv(65_536)
            if data:
                self._peers[one].sendall(data)
                return
        except OSError:
            pass
        self._close(one)

    def _close(self, one: socket.socket) -> None:
        for end in (one, self._peers.pop(one)):
            self._selector.unregister(end)
            self._peers.pop(end, None)
            end.close()

    def _forget(self) -> None:
        for one in self._peers:
            self._selector.unregister(one)
        self.frozen.extend(self._peers)
        self._peers.clear()
