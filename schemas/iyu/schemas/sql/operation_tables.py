"""What operators watch: who is alive, and what the ledger counted before it was pruned."""

from typing import Any

from sqlalchemy import BigInteger, Column, Double, Integer, MetaData, String, Table


def define(metadata: MetaData, time: Any) -> tuple[Table, Table]:
    """Return the tables `heartbeats` and `ledger_totals`; `time` makes a column of a UTC time."""
    heartbeats = Table(
        "heartbeats",
        metadata,
        Column("process_id", String(36), primary_key=True),  # a UUID, new with every start
        Column("role", String(16), nullable=False),  # worker, beat or sweep
        Column("host", String(255), nullable=False),
        Column("pid", Integer, nullable=False),
        Column("iyu_version", String(32), nullable=False),
        Column("model_version", String(16)),  # workers only
        time("started_at", nullable=False),
        time("beat_at", nullable=False),
        time("last_chunk_at"),  # when it last began one
        Column("begun", BigInteger, nullable=False),  # chunks since it started
    )
    totals = Table(
        "ledger_totals",
        metadata,
        Column("queue", String(32), primary_key=True),  # rescoring queues are one: reviews.rescore
        Column("measure", String(64), primary_key=True),  # see iyu.schemas.ledger.totals
        Column("value", Double, nullable=False),
    )
    return heartbeats, totals
