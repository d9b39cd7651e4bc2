"""The database's clock: times that decide are compared with times of the same clock."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, text

from iyu.schemas.contract.review import utc_now
from iyu.schemas.sql.tables import UtcDateTime

_NOW = text("SELECT clock_timestamp() AS now").columns(now=UtcDateTime())


def database_now(connection: Connection) -> datetime:
    """Return the present time of the database's machine, in UTC; SQLite's is this one."""
    if connection.dialect.name == "sqlite":
        return utc_now()
    moment: datetime = connection.execute(_NOW).scalar_one()
    return moment


def database_clock(connection: Connection) -> Any:
    """Return the present time as a value of a statement: the database reads its clock itself."""
    return utc_now() if connection.dialect.name == "sqlite" else func.clock_timestamp()
