"""The page as a server in this process, and a browser to look at it."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from iyu.console.web.app import make_app
from iyu.console.web.listener import listen
from iyu.console.web.pages.page import opened_site
from iyu.console.web.serve import make_server
from iyu.schemas.contract.settings import Settings
from tests.harness.http_client import Answered, send_request
from tests.harness.polling import poll
from tests.harness.postgres_server import ServiceMissing
from tests.harness.services import ROOT

#: Pictures of every page, kept for whoever looks at a test run.
PICTURES: Final = ROOT / ".pictures"
#: Without a display, and without a word to anybody.
CHROMIUM: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


class WebPage:
    """A running page."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def get(self, path: str, **headers: str) -> Answered:
        return self.request("GET", path, headers)

    def post(self, path: str, body: str, **headers: str) -> Answered:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", path, form | headers, body)

    def request(
        self, method: str, path: str, headers: dict[str, str], body: str | None = None
    ) -> Answered:
        """Send one request; in headers, _ is -."""
        return send_request(self.port, method, path, headers, body)


@contextmanager
def served(database_url: str, *, token: str | None = None, broker: str = "") -> Iterator[WebPage]:
    """Serve the page over a database until the end."""
    settings = Settings.load(
        database_url=database_url, broker_url=broker or "redis://127.0.0.1:1/0"
    )
    with opened_site(settings) as site, listen("127.0.0.1", 0) as listener:
        server = make_server(make_app(site, token))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            poll(30, lambda: server.started)
            yield WebPage(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(30)


def find_chromium() -> str:
    """Return Debian's Chromium, or the one that IYU_CHROMIUM names. Raises ServiceMissing."""
    program = os.environ.get("IYU_CHROMIUM") or shutil.which("chromium")
    if program is None:
        raise ServiceMissing("Chromium (apt-get install chromium fonts-nanum)")
    return program


def picture_path(name: str) -> Path:
    """Return where a picture of a page is kept."""
    PICTURES.mkdir(exist_ok=True)
    return PICTURES / f"{name}.png"
