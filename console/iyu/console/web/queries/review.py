"""One review: its text, its scores by every model, and how faithful each explanation is."""

from sqlalchemy import Connection

from iyu.console.web.queries.answer import Answer, run


def read_review(connection: Connection, source: str, review_id: str) -> Answer:
    """Return the review with the score that the views show; no row where there is none."""
    return run(
        connection,
        """
        SELECT source, review_id, text, submitted_at, batch_id, model_version, model, probability,
               logit, label, token_count, unknown_count, truncated, scored_at, written_at
        FROM review_scores
        WHERE source = :source AND review_id = :review_id
        """,
        source=source,
        review_id=review_id,
    )


def scores_of_review(connection: Connection, source: str, review_id: str) -> Answer:
    """Return what every model says of the present text, the one activated last first."""
    return run(
        connection,
        """
        SELECT p.model_version, m.name AS model, p.probability, p.label, p.scored_at, p.text_hash
        FROM predictions AS p
        JOIN models AS m ON m.model_version = p.model_version
        JOIN reviews AS r ON r.source = p.source AND r.review_id = p.review_id
         AND r.text_hash = p.text_hash
        WHERE p.source = :source AND p.review_id = :review_id
        ORDER BY m.activated_at IS NULL, m.activated_at DESC, p.model_version
        """,
        source=source,
        review_id=review_id,
    )


def read_faithfulness(connection: Connection, source: str, review_id: str) -> Answer:
    """Return comprehensiveness and sufficiency of every stored explanation of the present text."""
    return run(
        connection,
        """
        SELECT e.model_version, m.name AS model, e.method, e.comprehensiveness, e.sufficiency,
               e.target, e.layers
        FROM explanations AS e
        JOIN models AS m ON m.model_version = e.model_version
        JOIN reviews AS r ON r.source = e.source AND r.review_id = e.review_id
         AND r.text_hash = e.text_hash
        WHERE e.source = :source AND e.review_id = :review_id
        ORDER BY m.activated_at IS NULL, m.activated_at DESC, e.model_version, e.method
        """,
        source=source,
        review_id=review_id,
    )


def read_text(connection: Connection, source: str, review_id: str) -> str | None:
    """Return a review's text, None where it is not, or not any more."""
    rows = run(
        connection,
        "SELECT text FROM reviews WHERE source = :source AND review_id = :review_id",
        source=source,
        review_id=review_id,
    ).rows
    return str(rows[0]["text"]) if rows else None
