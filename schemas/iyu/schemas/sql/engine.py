"""Connect to the database, and bring its tables up to date."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, ProgrammingError

from iyu.schemas.contract.errors import DatabaseOutdated, SettingsError
from iyu.schemas.contract.settings import mask, sqlite_path
from iyu.schemas.sql.database_errors import database_trouble, is_transient, needs_correction

if TYPE_CHECKING:
    # Alembic takes as long to import as SQLAlchemy itself: only where it is used.
    from alembic.config import Config
    from alembic.script import ScriptDirectory

#: Milliseconds for which a statement waits for a lock of somebody else.
LOCK_MS = 30_000
#: Seconds between two tries of a SQLite writer that waits.
TURN_SECONDS = 0.001
#: Bytes of a page in a new SQLite file: in 4 KiB two heatmaps leave a quarter empty.
PAGE_BYTES = 8192
#: Pages in SQLite's log before they are copied into the file: a chunk writes 250 to 750, and the
#: same pages again and again.
CHECKPOINT_PAGES = 8_000
#: Seconds to connect, and milliseconds until a server that does not answer counts as down: a
#: half-open connection would hang for two hours.
POSTGRESQL_TIMES = {"connect_timeout": 5, "keepalives_idle": 15, "tcp_user_timeout": 30_000}


def connect(address: str, *, busy_ms: int = LOCK_MS, idle_ms: int = 0) -> Engine:
    """Return an engine for SQLite or PostgreSQL; nothing is connected yet.

    busy_ms: how long a statement waits for a lock. idle_ms: after which PostgreSQL ends a session
    that does nothing inside a transaction (a machine that froze would keep its locks); 0: never.
    On SQLite every transaction is a writer's (BEGIN IMMEDIATE) in WAL mode; read with `reading`.
    Whoever calls it disposes of the engine: `connected` does both.

    Raises SettingsError for the address of another database.
    """
    try:
        url = make_url(address)
        if url.drivername in {"postgresql", "postgres"}:
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() == "sqlite":
            return _sqlite_engine(address, busy_ms)
        if url.get_backend_name() == "postgresql":
            return _postgresql_engine(url, busy_ms, idle_ms)
    except (ArgumentError, NoSuchModuleError, ValueError):  # ValueError: a port in letters
        pass
    raise SettingsError(
        f"IYU_DATABASE_URL {mask(address)!r} is not a SQLite or PostgreSQL address; "
        "give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
    )


@contextmanager
def connected(address: str, *, busy_ms: int = LOCK_MS, idle_ms: int = 0) -> Iterator[Engine]:
    """Give an engine, and close its connections at the end. Raises what `connect` raises."""
    engine = connect(address, busy_ms=busy_ms, idle_ms=idle_ms)
    try:
        yield engine
    finally:
        engine.dispose()


def upgrade(engine: Engine) -> None:
    """Create the tables and views, or migrate them to this version.

    Raises DatabaseUnavailable.
    """
    from alembic import command

    if path := sqlite_path(engine.url.render_as_string(hide_password=False)):
        path.parent.mkdir(parents=True, exist_ok=True)
    with writing(engine) as connection:
        config = _alembic()
        _refuse_newer(connection, config)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(engine: Engine) -> None:
    """Raise DatabaseOutdated unless the tables are of this version, DatabaseUnavailable if down."""
    path = sqlite_path(engine.url.render_as_string(hide_password=False))
    if path and not path.exists():
        raise DatabaseOutdated(f"{path} does not exist yet; run: iyu db upgrade")
    from alembic.runtime.migration import MigrationContext

    with reading(engine) as connection:
        _refuse_newer(connection, _alembic())
        current = MigrationContext.configure(connection).get_current_revision()
    head = migration_scripts().get_current_head()
    if current != head:
        raise DatabaseOutdated(
            f"the tables are of version {current or 'none'}, this iyu needs {head}; "
            "run: iyu db upgrade"
        )


def migration_scripts() -> "ScriptDirectory":
    """Return the migrations that this code knows."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_alembic())


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give one transaction: committed at the end, or rolled back whole.

    Raises DatabaseUnavailable where the database does not answer or stays locked, DatabaseUnusable
    where it has to be put right first.
    """
    with _raising_unavailable(engine), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that never blocks a writer.

    Raises DatabaseUnavailable, DatabaseUnusable.
    """
    with _raising_unavailable(engine), engine.connect() as connection:
        yield connection.execution_options(read_only=True)


@contextmanager
def _raising_unavailable(engine: Engine) -> Iterator[None]:
    """Raise DatabaseUnavailable in place of what the driver raises for trouble that may pass."""
    try:
        yield
    except DBAPIError as error:
        if error.statement is None and isinstance(error, ProgrammingError):  # while connecting
            option = (str(error.orig).strip() or "it is not understood").splitlines()[0]
            raise SettingsError(
                f"IYU_DATABASE_URL: {option}; correct what stands behind its ?"
            ) from error
        if not is_transient(error):
            raise
        if needs_correction(error):
            # Its connections may lead to a server that was demoted, or be of a user without a
            # right: new ones find out.
            engine.dispose()
        raise database_trouble(engine, error) from error


def _refuse_newer(connection: Connection, config: "Config") -> None:
    """Raise DatabaseOutdated for tables that a newer iyu has migrated."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise DatabaseOutdated(
            f"the tables are of version {current}, which is newer than this iyu; install the "
            "iyu that made them, or a later one"
        )


def _alembic() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _postgresql_engine(url: URL, busy_ms: int, idle_ms: int) -> Engine:
    # With the connection: a SET in a transaction would end with it where that is rolled back.
    options = f"-c lock_timeout={busy_ms} -c idle_in_transaction_session_timeout={idle_ms}"
    own = url.query.get("options", "")  # the address's own come last and win
    engine = create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=POSTGRESQL_TIMES | {"options": f"{options} {own}".strip()},
    )
    event.listen(engine, "connect", _refuse_encoding, insert=True)  # before SQLAlchemy asks it
    return engine


def _refuse_encoding(connection: Any, _record: Any) -> None:
    """Raise SettingsError for a database that cannot hold every text.

    Such a one takes reviews while they wait, for payloads are bytes, and refuses each when it is
    scored.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding not in {None, "UTF8"}:
        raise SettingsError(
            f"the database {connection.info.dbname} has the encoding {encoding}, which does not "
            "hold every character; name one in UTF8: CREATE DATABASE … ENCODING 'UTF8' "
            "TEMPLATE template0"
        )


def _sqlite_engine(address: str, busy_ms: int) -> Engine:
    # Our own BEGIN: Python's sqlite3 would begin late and as a reader, and a reader that turns
    # writer fails at once instead of waiting its turn.
    engine = create_engine(
        address,
        hide_parameters=True,  # an error's text may reach a log, a review must not
        connect_args={"isolation_level": None, "timeout": 0},
    )

    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout = {busy_ms}")
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a file that is not there yet
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("read_only", False):
            connection.exec_driver_sql("BEGIN")
        else:
            _begin_to_write(connection, busy_ms)

    return engine


def _begin_to_write(connection: Connection, busy_ms: int) -> None:
    """Begin as soon as the writer before has finished: SQLite's own pauses grow to 100 ms."""
    raw: Any = connection.connection.driver_connection
    deadline = time.monotonic() + busy_ms / 1000
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while _is_taken(raw) and time.monotonic() < deadline:
            time.sleep(TURN_SECONDS)
        if not raw.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # its error goes through SQLAlchemy
    finally:
        raw.execute(f"PRAGMA busy_timeout = {busy_ms}")


def _is_taken(raw: Any) -> bool:
    """Try to begin; True if another writer holds the lock."""
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return False
