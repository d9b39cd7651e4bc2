"""What shows how far scores can be trusted: verifications, later labels, models compared."""

from typing import Any

from sqlalchemy import BigInteger, Column, Double, Integer, MetaData, String, Table


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


def define_comparisons(metadata: MetaData, json: Any, time: Any) -> tuple[Table, Table]:
    """Return the tables `model_comparisons` and `model_comparison_examples`.

    `compared_source` is the source whose reviews were compared, '' for all of them.
    """

    def pair() -> list[Column[Any]]:
        return [
            Column("model_a", String(16), primary_key=True),
            Column("model_b", String(16), primary_key=True),
            Column("compared_source", String(100), primary_key=True),
        ]

    comparisons = Table(
        "model_comparisons",
        metadata,
        *pair(),
        time("made_at", nullable=False),
        Column("reviews", BigInteger, nullable=False),  # that both have scored on one text
        Column("agreement", Double, nullable=False),  # share with the same label
        Column("mean_difference", Double, nullable=False),  # of probability, absolute
        Column("to_positive", BigInteger, nullable=False),  # negative by A, positive by B
        Column("to_negative", BigInteger, nullable=False),
        Column("method", String(32), nullable=False),  # whose heat the words are compared by
        Column("words", json),  # changed most; NULL: not both have heat by this method
        # What each had scored by then, by the daily sums: tells later whether this is of old.
        Column("scored_a", BigInteger, nullable=False),
        Column("scored_b", BigInteger, nullable=False),
    )
    examples = Table(
        "model_comparison_examples",
        metadata,
        *pair(),
        Column("source", String(100), primary_key=True),
        Column("review_id", String(200), primary_key=True),
        Column("text_hash", String(16), nullable=False),  # of the text that both have scored
        Column("probability_a", Double, nullable=False),
        Column("probability_b", Double, nullable=False),
    )
    return comparisons, examples
