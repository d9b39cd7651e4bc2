"""Serve the page until Ctrl-C."""

from collections.abc import Callable

import uvicorn

from iyu.console.web.app import make_app
from iyu.console.web.listener import address_of, listen
from iyu.console.web.pages.page import opened_site
from iyu.console.web.security import check_address
from iyu.schemas.contract.settings import Settings


def serve(
    settings: Settings, host: str, port: int, token: str | None, say: Callable[[str], None]
) -> None:
    """Serve; `say` is given the address as soon as it answers.

    Raises SettingsError, DatabaseOutdated, DatabaseUnavailable.
    """
    check_address(host, token)
    with opened_site(settings) as site, listen(host, port) as listener:
        app = make_app(site, token)
        say(address_of(listener))
        make_server(app).run(sockets=[listener])


def make_server(app: object) -> uvicorn.Server:
    """Return the server of an application: it logs no address, and does not say what it is."""
    return uvicorn.Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]
            log_level="warning",
            access_log=False,  # an address may hold what somebody looks for
            server_header=False,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=5,
        )
    )
