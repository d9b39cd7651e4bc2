"""What shows that stored rows can be trusted: verifications, and labels that came later."""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table


def define(metadata: MetaData, row_id: Any, json: Any, time: Any) -> tuple[Table, Table]:
    """Return the tables `verifications` and `labels`; `time` makes a column of a UTC time."""
    verifications = Table(
        "verifications",
        metadata,
        Column("verification_id", row_id, primary_key=True, autoincrement=True),
        time("started_at", nullable=False),
        time("finished_at", nullable=False),
        Column("iyu_version", String(32), nullable=False),
        Column("scope", json, nullable=False),  # source, since, until, model_version, sample, days
        Column("rows_checked", BigInteger, nullable=False),  # scores, in SQL
        Column("rows_scored", Integer, nullable=False),  # whose texts were scored again
        Column("findings", Integer, nullable=False),
        Column("found", json, nullable=False),  # {kind: how often}; no review is named
    )
    labels = Table(
        "labels",
        metadata,
        Column("source", String(100), primary_key=True),
        Column("review_id", String(200), primary_key=True),
        Column("label", Integer, nullable=False),  # 1 positive, 0 negative
        Column("text_hash", String(16), nullable=False),  # of the text that stood at the import
        time("imported_at", nullable=False),
    )
    return verifications, labels
