"""`iyu metrics`: what Prometheus scrapes."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

#: What Prometheus' own list of ports leaves to exporters of metrics.
PORT = 9464


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(metrics)


def metrics(
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0 for other machines.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = PORT,
) -> None:
    """Serve metrics for Prometheus under /metrics, until Ctrl-C or TERM.

    One of these is enough, whatever the number of workers. Nothing is protected by a password: let
    nobody but Prometheus reach it.
    """
    import signal

    from iyu.console.local.env_file import load_settings
    from iyu.console.terminal.optional_libraries import require_metrics_library
    from iyu.schemas.contract.logs import log_as_json
    from iyu.schemas.sql.engine import connected

    require_metrics_library()
    from iyu.console.metrics.collector import IyuCollector
    from iyu.console.metrics.server import serving

    settings = load_settings()
    if settings.log == "json":
        log_as_json()
    signal.signal(signal.SIGTERM, _stop)
    with connected(settings.database) as engine:
        _check_tables(engine)
        collector = IyuCollector(settings, engine)
        collector.prime()
        with serving(collector, host, port) as server:
            typer.echo(f"http://{host}:{server.server_port}/metrics")
            server.serve_forever(poll_interval=0.2)


def _stop(_number: int, _frame: object) -> None:
    raise typer.Exit(0)


def _check_tables(engine: "Engine") -> None:
    """Raise DatabaseOutdated; a database that is down is a figure, no reason not to start."""
    from contextlib import suppress

    from iyu.schemas.contract.errors import DatabaseUnavailable
    from iyu.schemas.sql.engine import check

    with suppress(DatabaseUnavailable):
        check(engine)
