"""Every column that may hold something of a review, and what is done with it when one is erased.

A column that is missing here fails a test: who adds one decides what becomes of it.
"""

from enum import StrEnum
from typing import Final


class Holds(StrEnum):
    """What a column may hold of a review."""

    NOTHING = "nothing of a single review"
    KEY = "its source or id: the row is deleted"
    CONTENT = "its text, score or heat: the row is deleted"
    PAYLOAD = "the review itself, among others: it is taken out"
    RAW = "perhaps the review, in a broken message: emptied if it names the review"
    SUMS = "its words and scores, summed with those of others: taken back"
    KEY_UNTIL_PRUNED = "its id alone, until `iyu db prune` deletes old events"
    CHUNK_HASH = "a hash of it with all of its chunk, until `iyu db prune` deletes the chunk"
    HASH = "a hash of its key, until no late message can bring it back"


def _columns(holds: Holds, names: str) -> dict[str, Holds]:
    return dict.fromkeys(names.split(), holds)


_KEY: Final = _columns(Holds.KEY, "source review_id")

REGISTER: Final[dict[str, dict[str, Holds]]] = {
    "reviews": _KEY | _columns(Holds.CONTENT, "text text_hash submitted_at written_at batch_id"),
    "resubmissions": _KEY | _columns(Holds.CONTENT, "submitted_at"),
    "predictions": _KEY
    | _columns(
        Holds.CONTENT,
        "model_version probability logit label token_count unknown_count truncated text_hash "
        "scored_at",
    ),
    "explanations": _KEY
    | _columns(
        Holds.CONTENT,
        "model_version method layers target tokens comprehensiveness sufficiency pad_heat "
        "completeness_gap text_hash starts ends tags heats addresses",
    ),
    "dead_letters": _KEY
    | _columns(Holds.CONTENT, "text written_at")
    | _columns(Holds.RAW, "raw")
    | _columns(
        Holds.NOTHING,
        "id fingerprint reason error chunk_id batch_id submitted_at seen first_seen_at "
        "last_seen_at replayed_at",
    ),
    "chunks": _columns(Holds.PAYLOAD, "payload")
    | _columns(Holds.CHUNK_HASH, "content_hash")
    | _columns(
        Holds.NOTHING,
        "chunk_id parent_id batch_id source queue review_count state attempts submitted_at "
        "accepted_at arrived_at queued_at swept published_at started_at finished_at failures "
        "error",
    ),
    "heartbeats": _columns(
        Holds.NOTHING,
        "process_id role host pid iyu_version model_version started_at beat_at last_chunk_at begun",
    ),
    "ledger_totals": _columns(Holds.NOTHING, "queue measure value"),
    "batches": _columns(
        Holds.NOTHING, "batch_id source origin accepted rejected chunks created_at closed_at"
    ),
    "models": _columns(Holds.NOTHING, "model_version name created_at activated_at manifest"),
    "keyword_days": _columns(
        Holds.SUMS,
        "model_version method day surface pos source reviews occurrences heat positive_reviews "
        "positive_occurrences positive_heat heat_squared",
    ),
    "keyword_totals": _columns(Holds.SUMS, "model_version method surface pos reviews"),
    "privacy": _columns(Holds.NOTHING, "id min_reviews"),
    "keyword_deltas": _columns(Holds.SUMS, "payload") | _columns(Holds.NOTHING, "id"),
    "review_days": _columns(
        Holds.SUMS,
        "source day model_version reviews positive_reviews tokens unknown_tokens "
        "truncated_reviews probability probability_squared",
    ),
    "day_deltas": _columns(Holds.SUMS, "payload") | _columns(Holds.NOTHING, "id"),
    "days_to_recount": _columns(Holds.NOTHING, "day"),
    "result_events": _columns(Holds.KEY_UNTIL_PRUNED, "source review_ids")
    | _columns(Holds.NOTHING, "id xid kind model_version happened_at"),
    "result_feed": _columns(Holds.NOTHING, "epoch cluster pruned_xid pruned_id"),
    "result_consumers": _columns(Holds.NOTHING, "name cursor moved_at"),
    "webhooks": _columns(
        Holds.NOTHING,
        "webhook_id url sources label below above cursor given_up last_error created_at "
        "failing_since ended_at leased_by leased_until",
    ),
    "webhook_secrets": _columns(Holds.NOTHING, "webhook_id secret previous"),
    "webhook_deliveries": _columns(Holds.PAYLOAD, "body")
    | _columns(Holds.NOTHING, "delivery_id webhook_id attempts due_at created_at"),
    "table_readers": _columns(Holds.NOTHING, "oldest_revision"),
    "tombstones": _columns(Holds.HASH, "key_hash erased_at"),
    "gateway_tokens": _columns(
        Holds.NOTHING, "token_id source secret_hash rights note created_at expires_at"
    ),
    "ingest_positions": _columns(Holds.NOTHING, "source address table_name watermark moved_at"),
    "verifications": _columns(
        Holds.NOTHING,
        "verification_id started_at finished_at iyu_version scope rows_checked rows_scored "
        "findings found",
    ),
    "labels": _KEY | _columns(Holds.CONTENT, "label text_hash imported_at"),
    # Words and figures of thousands of reviews; a word that few reviews hold is not compared.
    "model_comparisons": _columns(
        Holds.NOTHING,
        "model_a model_b compared_source made_at reviews agreement mean_difference to_positive "
        "to_negative method words scored_a scored_b",
    ),
    "model_comparison_examples": _KEY
    | _columns(Holds.CONTENT, "text_hash probability_a probability_b")
    | _columns(Holds.NOTHING, "model_a model_b compared_source"),
}
