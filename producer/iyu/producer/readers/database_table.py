"""Reviews from a table of another database: read only, in the order in which rows changed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    Uuid,
    and_,
    case,
    cast,
    create_engine,
    event,
    func,
    inspect,
    literal,
    make_url,
    null,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError
from sqlalchemy.types import Date, DateTime, Integer, Text

from iyu.producer.readers.readable_rows import readable_columns, readable_rows
from iyu.producer.readers.row_changes import Changed, now_like
from iyu.producer.readers.written_times import MissingZone, read_written
from iyu.schemas.contract.errors import DatabaseUnavailable, InputError
from iyu.schemas.contract.review import has_surrogate
from iyu.schemas.contract.settings import mask
from iyu.schemas.sql.database_errors import is_transient
from iyu.schemas.sql.engine import POSTGRESQL_TIMES

#: Rows of a page: eight bulk chunks.
PAGE_ROWS: Final = 4096
#: What each kind of database is made to promise: that we change nothing.
_READ_ONLY: Final = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET default_transaction_read_only = on",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}
_DRIVERS: Final = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_NOT_DELETED: Final = {"0", "f", "false", "n", "no", ""}


@dataclass(frozen=True, slots=True)
class TableNames:
    """A table of reviews and its columns, by name."""

    table: str  # perhaps with its schema: public.shop_reviews
    key: str
    text: str
    changed: str  # a time or a number that grows whenever the row changes
    deleted: str | None = None  # set in rows that count as deleted
    written: str | None = None  # when the review was written
    zone: tzinfo | None = None  # of such times that state none


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row, as it stands there."""

    key: object
    text: object
    changed: Changed
    is_deleted: bool
    written: object = None  # an aware time; None: unknown. Anything else could not be read


class DatabaseTable:
    """A table of another database; every statement is a short transaction that only reads.

    Raises InputError where address, table or a column is not as named, DatabaseUnavailable where
    the database does not answer. Neither holds a password or a review.
    """

    def __init__(self, address: str, names: TableNames) -> None:
        self._url = _checked_url(address)
        self._engine = _engine(self._url)
        self._names = names
        try:
            with self._reading() as connection:
                self._columns = _reflected(connection, names)
                self._readable = readable_rows(connection, self._columns)
        except BaseException:
            self.close()
            raise

    @property
    def place(self) -> str:
        """The database without user and password: what a position is kept under."""
        bare = URL.create(
            self._url.get_backend_name(),
            host=self._url.host,
            port=self._url.port,
            database=_database_name(self._url),
        )
        return bare.render_as_string()

    def pages(self, start: Changed | None, rows: int = PAGE_ROWS) -> Iterator[Sequence[TableRow]]:
        """Yield rows that changed at `start` or later (None: all), oldest change first."""
        changed, key = self._columns["changed"], self._columns["key"]
        where = true() if start is None else changed >= start
        while page := self._fetch(self._query(where, rows)):
            yield page
            if len(page) < rows:
                return
            last = page[-1]
            where = and_(
                changed >= last.changed,  # alone it is enough for an index on this column
                or_(changed > last.changed, and_(changed == last.changed, key > _bound(last.key))),
            )

    def present_keys(self, review_ids: Sequence[str]) -> set[str]:
        """Return which of these reviews have a row that is not deleted."""
        key = self._columns["key"]
        wanted = _as_keys(key, review_ids)
        if not wanted:
            return set()
        selected = self._selected()
        query = select(selected["key"], selected.get("deleted", null()).label("_deleted"))
        with self._reading() as connection:
            found = connection.execute(query.where(key.in_(list(wanted)))).all()
        return {wanted[key] for key, deleted in found if key in wanted and not _is_set(deleted)}

    def count_unreadable(self) -> int:
        """Count rows that are never read: without a key, or without a usable time of change."""
        readable = func.count(case((self._readable, 1)))
        query = select(func.count() - readable).select_from(self._columns["key"].table)
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def now(self, like: Changed) -> Changed | None:
        """Return the present time as that database would write it; None where it is a number."""
        changed = self._columns["changed"]
        if isinstance(changed.type, Date | DateTime) and self._engine.dialect.name != "sqlite":
            # MySQL's clock has whole seconds unless asked: a row would seem to be of the future.
            is_whole = self._engine.dialect.name in {"mysql", "mariadb"}
            clock = func.now(6) if is_whole else func.now()
            with self._reading() as connection:
                moment: Changed = connection.execute(select(cast(clock, changed.type))).scalar_one()
            return moment
        return now_like(like)

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _query(self, where: ColumnElement[bool], rows: int) -> Select[Any]:
        changed, key = self._columns["changed"], self._columns["key"]
        return (
            select(*self._selected().values())
            .where(self._readable, where)
            .order_by(changed, key)
            .limit(rows)
        )

    def _selected(self) -> dict[str, ColumnElement[Any]]:
        columns = readable_columns(self._engine.dialect.name, self._columns)
        return {name: column.label(f"_{name}") for name, column in columns.items()}

    def _fetch(self, query: Select[Any]) -> list[TableRow]:
        with self._reading() as connection:
            found = connection.execute(query).mappings().all()
        return [self._row(row) for row in found]

    def _row(self, row: Mapping[Any, Any]) -> TableRow:
        return TableRow(
            key=row["_key"],
            text=row["_text"],
            changed=row["_changed"],
            is_deleted="_deleted" in row and _is_set(row["_deleted"]),
            written=self._written(row["_written"]) if "_written" in row else None,
        )

    def _written(self, value: object) -> object:
        try:
            return read_written(value, self._names.zone)
        except MissingZone as error:
            column = f"{self._names.table}.{self._names.written}"
            raise InputError(f"{str(value)[:40]!r} in {column} {error}") from None
        except ValueError:
            return value

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        shown = mask(self._url.render_as_string(hide_password=False))
        try:
            with self._engine.connect() as connection:
                yield connection
        except NoSuchTableError:
            raise InputError(self._missing_table(shown)) from None
        except DBAPIError as error:
            cause = (str(error.orig).strip().splitlines() or ["no answer"])[0]
            if is_transient(error):
                raise DatabaseUnavailable(
                    f"{shown} does not answer ({cause}); check that it runs and --from names it"
                ) from None
            raise InputError(f"{shown} cannot be read: {cause}") from None

    def _missing_table(self, shown: str) -> str:
        found = inspect(self._engine)
        names = [*found.get_table_names(), *found.get_view_names()]
        return f"{shown} has no table {self._names.table!r}; it has: {', '.join(names[:20])}"


def _bound(key: object) -> Any:
    """Return a key as it is bound: SQLite's may be text that is no UTF-8."""
    if isinstance(key, str) and has_surrogate(key):
        return cast(literal(key.encode(errors="surrogateescape"), LargeBinary()), Text())
    return key


def _is_set(value: object) -> bool:
    return value is not None and str(value).strip().lower() not in _NOT_DELETED


def _checked_url(address: str) -> URL:
    try:
        url = make_url(address)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        backend = ""
    if backend == "postgres":
        backend = "postgresql"
    if backend not in _READ_ONLY:
        raise InputError(
            f"--from {mask(address)!r} is no address of a database that can be read; give "
            "postgresql://USER:PASSWORD@HOST/NAME, mysql+pymysql://… or sqlite:///FILE"
        )
    if backend == "sqlite" and not Path(url.database or "").is_file():
        raise InputError(f"--from names {url.database!r}, and there is no such file")
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def _engine(url: URL) -> Engine:
    backend = url.get_backend_name()
    times: dict[str, Any] = POSTGRESQL_TIMES if backend == "postgresql" else {}
    try:
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=times)
    except (ImportError, NoSuchModuleError):
        raise InputError(
            f"{backend} needs a driver that is not installed; run: pip install pymysql, "
            "and give mysql+pymysql://USER:PASSWORD@HOST/NAME"
        ) from None

    @event.listens_for(engine, "connect")
    def _only_read(connection: Any, _record: Any) -> None:
        if backend == "sqlite":  # a text that is no UTF-8 rejects its row alone
            connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
        cursor = connection.cursor()
        cursor.execute(_READ_ONLY[backend])
        cursor.close()
        connection.commit()

    return engine


def _reflected(connection: Connection, names: TableNames) -> dict[str, ColumnElement[Any]]:
    schema, _, name = names.table.rpartition(".")
    table = Table(
        name, MetaData(), schema=schema or None, autoload_with=connection, resolve_fks=False
    )
    wanted = {
        "key": names.key,
        "text": names.text,
        "changed": names.changed,
        "deleted": names.deleted,
        "written": names.written,
    }
    columns: dict[str, ColumnElement[Any]] = {}
    for use, column in wanted.items():
        if column is None:
            continue
        if column not in table.c:
            present = ", ".join(table.c.keys())
            raise InputError(f"{names.table} has no column {column!r}; it has: {present}")
        columns[use] = table.c[column]
    columns["changed"] = _changed_column(connection, table.c[names.changed], names)
    return columns


def _changed_column(
    connection: Connection, column: Column[Any], names: TableNames
) -> ColumnElement[Any]:
    kind = column.type
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite and isinstance(kind, Date | DateTime | String | Text):
        return type_coerce(column, String())  # SQLite keeps times as text, in any form
    if isinstance(kind, Date | DateTime | Integer):
        return column
    raise InputError(
        f"{names.table}.{names.changed} is {kind}; --changed takes a column of times, or of whole "
        "numbers that grow with every change"
    )


def _as_keys(column: ColumnElement[Any], review_ids: Sequence[str]) -> dict[object, str]:
    """Return review ids by the values that the key column would hold."""
    if isinstance(column.type, Integer):
        return {int(key): key for key in review_ids if key.removeprefix("-").isdecimal()}
    if isinstance(column.type, Uuid):
        from uuid import UUID

        as_uuid = column.type.as_uuid
        return {(UUID(key) if as_uuid else key): key for key in review_ids if len(key) == 36}
    return {key: key for key in review_ids}


def _database_name(url: URL) -> str | None:
    if url.get_backend_name() == "sqlite" and url.database:
        return str(Path(url.database).resolve())
    return url.database
