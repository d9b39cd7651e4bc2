"""Whether the services that iyu stands on answer."""

from kombu.exceptions import OperationalError

from schemas.broker import make_app
from schemas.database import check, connect
from schemas.errors import IyuError
from schemas.settings import Settings, mask


def readiness(settings: Settings) -> dict[str, str | None]:
    """Return what is wrong with broker and database; None for what is well."""
    return {"broker": _broker_trouble(settings), "database": _database_trouble(settings)}


def _broker_trouble(settings: Settings) -> str | None:
    with make_app(settings).connection_for_write(connect_timeout=5) as connection:
        try:
            # Redis is asked for a PING before a channel is given.
            connection.ensure_connection(max_retries=1, timeout=5)
        except (OperationalError, OSError):
            return f"{mask(settings.broker)} does not answer; check that it runs"
    return None


def _database_trouble(settings: Settings) -> str | None:
    engine = connect(settings.database)
    try:
        check(engine)
    except IyuError as error:
        return str(error)
    finally:
        engine.dispose()
    return None
