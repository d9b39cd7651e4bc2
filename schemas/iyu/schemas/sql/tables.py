"""The SQL tables that iyu writes and other systems read (SQLite and PostgreSQL alike).

Keys are natural: writing a chunk twice leaves the same rows. There are no foreign keys between
the three large tables: one transaction writes them together, and a check would cost on every row.
"""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names as _reflected_types
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine, UserDefinedType

from iyu.schemas.sql.heat_columns import heat_columns
from iyu.schemas.sql.keyword_days import define as define_keyword_days
from iyu.schemas.sql.operation_tables import define as define_operation_tables
from iyu.schemas.sql.review_days import define as define_review_days
from iyu.schemas.sql.trust_tables import define as define_trust_tables
from iyu.schemas.sql.trust_tables import define_comparisons


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps it as text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Reject a time without its zone: it could mean any moment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a time without its zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Add the zone, which SQLite does not store."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class TransactionId(TypeDecorator[int]):
    """PostgreSQL's id of a whole transaction (xid8); SQLite's writers need none, there it is 0."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return xid8 or an integer."""
        return _Xid8() if dialect.name == "postgresql" else dialect.type_descriptor(Integer())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """Give PostgreSQL the text it reads as xid8."""
        return str(value) if dialect.name == "postgresql" and value is not None else value

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Return an integer on both."""
        return None if value is None else int(value)


class _Xid8(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


_reflected_types["xid8"] = _Xid8


class _CurrentTransaction(FunctionElement[Any]):
    inherit_cache = True


@compiles(_CurrentTransaction, "postgresql")
def _on_postgresql(*_: Any, **__: Any) -> str:
    return "pg_current_xact_id()"


@compiles(_CurrentTransaction, "sqlite")
def _on_sqlite(*_: Any, **__: Any) -> str:
    return "'0'"


Json: Final = JSON().with_variant(JSONB(), "postgresql")
#: SQLite numbers rows itself only where the key is an INTEGER.
RowId: Final = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def _key(name: str, length: int) -> Column[Any]:
    return Column(name, String(length), primary_key=True)


def _time(name: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, UtcDateTime(), nullable=nullable)


reviews = Table(
    "reviews",
    metadata,
    _key("source", 100),
    _key("review_id", 200),
    Column("text", Text, nullable=False),  # trimmed, NFC: what offsets refer to
    Column("text_hash", String(16), nullable=False),
    _time("submitted_at", nullable=False),  # when this text came in first
    Column("batch_id", String(36)),
    _time("written_at"),  # None: unknown
    Index("ix_reviews_submitted_at", "submitted_at"),
    Index(
        "ix_reviews_written_at",
        "written_at",
        sqlite_where=text("written_at IS NOT NULL"),
        postgresql_where=text("written_at IS NOT NULL"),
    ),
)

#: When an unchanged text last came in again. Its row in `reviews` stays as it is, but an older
#: message that arrives late must not overwrite it. Empty unless reviews are submitted twice.
resubmissions = Table(
    "resubmissions",
    metadata,
    _key("source", 100),
    _key("review_id", 200),
    _time("submitted_at", nullable=False),
)

models = Table(
    "models",
    metadata,
    _key("model_version", 16),
    Column("name", String(100), nullable=False),
    _time("created_at", nullable=False),
    _time("activated_at"),  # the views show the model activated last, and none that never was
    Column("manifest", Json, nullable=False),
)

predictions = Table(
    "predictions",
    metadata,
    _key("source", 100),
    _key("review_id", 200),
    _key("model_version", 16),
    Column("probability", Double, nullable=False),  # of positive, 0 … 1
    Column("logit", Double, nullable=False),
    Column("label", Integer, nullable=False),  # 1 positive, 0 negative
    Column("token_count", Integer, nullable=False),
    Column("unknown_count", Integer, nullable=False),
    Column("truncated", Boolean, nullable=False),
    Column("text_hash", String(16), nullable=False),  # of the text that was scored
    _time("scored_at", nullable=False),
    Index("ix_predictions_scored_at", "scored_at"),
)

explanations = Table(
    "explanations",
    metadata,
    _key("source", 100),
    _key("review_id", 200),
    _key("model_version", 16),
    _key("method", 32),
    Column("layers", String(100), nullable=False),
    Column("target", String(16), nullable=False),  # logit or probability
    Column("tokens", Json, nullable=False),  # [] where the heatmap is in the columns below
    Column("comprehensiveness", Double),
    Column("sufficiency", Double),
    Column("pad_heat", Double, nullable=False),  # heat that fell on padding; no token carries it
    Column("completeness_gap", Double),  # integrated gradients only
    Column("text_hash", String(16), nullable=False),
    *heat_columns(),
)

batches = Table(
    "batches",
    metadata,
    _key("batch_id", 36),
    Column("source", String(100), nullable=False),
    Column("origin", Text, nullable=False),  # file name, "stdin", "python", "message"
    Column("accepted", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    _time("created_at", nullable=False),
    _time("closed_at"),  # None while the producer is still reading, or if it was killed
)

chunks = Table(
    "chunks",
    metadata,
    _key("chunk_id", 36),
    Column("parent_id", String(36)),  # the chunk this one was split from
    Column("batch_id", String(36)),
    Column("source", String(100), nullable=False),
    Column("queue", String(32), nullable=False),
    Column("review_count", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    _time("submitted_at", nullable=False),
    # By the database's clock; None where the ledger learned of the chunk from its message.
    _time("accepted_at"),
    _time("queued_at"),  # when the row was written; None likewise
    # Its first arrival, where its own time lay in the future: what it counts as from then on.
    _time("arrived_at"),
    _time("published_at"),  # last time it went to the broker
    _time("started_at"),
    _time("finished_at"),
    Column("payload", LargeBinary),  # the reviews until done, then NULL
    # For reasons that nobody foresaw; `error` is the last one's type.
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("error", Text),
    Column("swept", Integer, nullable=False, server_default="0"),  # times it was lost and found
    # Tells a message that came again from another with its id. None: of before, or erased in part.
    Column("content_hash", String(16)),
    # The sweeper and back-pressure read pending chunks only: a handful among millions.
    Index(
        "ix_chunks_open",
        "state",
        "published_at",
        sqlite_where=text("state IN ('queued', 'running')"),
        postgresql_where=text("state IN ('queued', 'running')"),
    ),
    Index("ix_chunks_batch_id", "batch_id"),
    Index("ix_chunks_finished_at", "finished_at"),
    Index(
        "ix_chunks_arrived_at",
        "arrived_at",
        sqlite_where=text("arrived_at IS NOT NULL"),
        postgresql_where=text("arrived_at IS NOT NULL"),
    ),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column(
        "fingerprint", String(32), nullable=False, unique=True
    ),  # the same failure again is no new row
    Column("source", String(100)),
    Column("review_id", String(200)),
    Column("text", Text),
    Column("raw", Text),  # a message that could not be read as reviews, if it is text
    Column("reason", String(32), nullable=False),
    Column("error", Text),
    Column("chunk_id", String(36)),
    Column("batch_id", String(36)),
    Column("submitted_at", UtcDateTime()),
    Column("seen", Integer, nullable=False),
    _time("first_seen_at", nullable=False),
    _time("last_seen_at", nullable=False),
    _time("replayed_at"),
    _time("written_at"),  # of the review
    Index("ix_dead_letters_source_review_id", "source", "review_id"),
    Index("ix_dead_letters_reason", "reason", "replayed_at", "seen"),
)

#: Daily sums of words, and the deltas of older workers that are still to be added to them.
keyword_days, keyword_totals, keyword_deltas = define_keyword_days(metadata, RowId)
#: Daily sums of reviews, the deltas of both, and the days that have to be counted anew.
review_days, day_deltas, days_to_recount = define_review_days(metadata, RowId)

#: One row, or none for the default: what the views of words hide.
privacy = Table(
    "privacy",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1
    Column("min_reviews", Integer, nullable=False),  # a word that fewer hold is not shown
)

#: The results feed: one row for each kind of change in a transaction, read in the order of xid, id.
result_events = Table(
    "result_events",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    # The database fills it in: the transaction that wrote the row. 0 on SQLite.
    Column("xid", TransactionId(), nullable=False, server_default=_CurrentTransaction()),
    Column("kind", String(16), nullable=False),  # scored, dead, erased, model-changed
    Column("source", String(100)),
    Column("model_version", String(16)),
    Column("review_ids", Json, nullable=False),  # in their order; [] where no review is named
    _time("happened_at", nullable=False),  # before the commit: never a cursor
    Index("ix_result_events_xid_id", "xid", "id"),
    # An id must never come again, or a reader would take it for one it has read.
    sqlite_autoincrement=True,
)

#: One row: which feed this is, and up to where it was pruned.
result_feed = Table(
    "result_feed",
    metadata,
    Column("epoch", String(36), primary_key=True),
    Column("cluster", String(20)),  # PostgreSQL's system identifier: whose transaction ids count
    Column("pruned_xid", BigInteger, nullable=False),
    Column("pruned_id", BigInteger, nullable=False),
)

#: Cursors of readers that keep theirs here.
result_consumers = Table(
    "result_consumers",
    metadata,
    _key("name", 100),
    Column("cursor", String(200), nullable=False),
    _time("moved_at", nullable=False),
)

#: Receivers of signed calls about the feed.
webhooks = Table(
    "webhooks",
    metadata,
    _key("webhook_id", 36),
    Column("url", Text, nullable=False),
    Column("sources", Json, nullable=False),  # []: all
    Column("label", String(16)),
    Column("below", Double),
    Column("above", Double),
    Column("cursor", String(200), nullable=False),  # everything before it is in webhook_deliveries
    Column("given_up", Integer, nullable=False),  # messages not taken within three days
    Column("last_error", Text),
    _time("created_at", nullable=False),
    _time("failing_since"),
    _time("ended_at"),
    Column("leased_by", String(36)),
    _time("leased_until"),
)

#: Apart, so that a role that reads everything else need not read these.
webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    _key("webhook_id", 36),
    Column("secret", Text, nullable=False),
    Column("previous", Text),  # still signs, until the next rotation
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    _key("delivery_id", 36),
    Column("webhook_id", String(36), nullable=False),
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    _time("due_at", nullable=False),
    _time("created_at", nullable=False),
    Index("ix_webhook_deliveries_webhook_id_due_at", "webhook_id", "due_at"),
)

#: Reviews that were erased, by a hash of their key: a late message must not bring one back.
tombstones = Table(
    "tombstones",
    metadata,
    _key("key_hash", 32),
    _time("erased_at", nullable=False),  # by the database's clock
    Index("ix_tombstones_erased_at", "erased_at"),
)

#: Who is alive, and what the ledger counted before it was pruned.
heartbeats, ledger_totals = define_operation_tables(metadata, _time)

#: One row: the revision of the oldest code that may work with these tables.
table_readers = Table(
    "table_readers", metadata, Column("oldest_revision", String(32), primary_key=True)
)

#: How far tables of other systems were read by `iyu ingest`.
ingest_positions = Table(
    "ingest_positions",
    metadata,
    _key("source", 100),
    _key("address", 500),  # without user and password
    _key("table_name", 200),
    Column("watermark", String(100), nullable=False),  # the latest change that was read
    _time("moved_at", nullable=False),
)

#: Outcomes of `iyu verify`, and labels that came after the scores.
verifications, labels = define_trust_tables(metadata, RowId, Json, _time)
#: Two models compared, and reviews on which they say the opposite: by key, never by text.
model_comparisons, model_comparison_examples = define_comparisons(metadata, Json, _time)
#: Who may use the gateway, and for which source. No reader needs it: it counts as a secret.
gateway_tokens = Table(
    "gateway_tokens",
    metadata,
    _key("token_id", 16),
    Column("source", String(100), nullable=False),
    Column("secret_hash", String(64), nullable=False),  # SHA-256; the token itself is nowhere
    Column("rights", Json, nullable=False),  # of submit, read, forget
    Column("note", String(200)),
    _time("created_at", nullable=False),
    _time("expires_at"),
)
