"""When a review was written; what tells a chunk's reviews from others with its id"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# {w}: the new last column, or nothing on the way back.
REVIEW_SCORES = """
CREATE VIEW review_scores AS
SELECT r.source, r.review_id, r.text, r.text_hash, r.submitted_at, r.batch_id,
       p.model_version, m.name AS model, p.probability, p.logit, p.label,
       p.token_count, p.unknown_count, p.truncated, p.scored_at{w}
FROM reviews AS r
JOIN predictions AS p
  ON p.source = r.source AND p.review_id = r.review_id AND {same_text}
JOIN models AS m
  ON m.model_version = p.model_version AND m.activated_at IS NOT NULL
WHERE m.activated_at = (SELECT MAX(activated_at) FROM models)
   OR NOT EXISTS (
    SELECT 1 FROM models AS newer
    JOIN predictions AS q ON q.model_version = newer.model_version
    WHERE newer.activated_at > m.activated_at
      AND q.source = r.source AND q.review_id = r.review_id AND q.text_hash = r.text_hash
)
"""
RESULTS = """
CREATE VIEW results AS
SELECT {xid} AS xid, e.id, {position} AS position, e.kind, e.happened_at, e.source, {review_id}
       AS review_id, s.text, s.submitted_at, s.model, s.model_version, s.probability, s.label{w}
FROM result_events AS e
CROSS JOIN {unnested}
JOIN review_scores AS s ON s.source = e.source AND s.review_id = {review_id}
WHERE e.kind = 'scored' {settled}
UNION ALL
SELECT {xid}, e.id, COALESCE({position}, 0), e.kind, e.happened_at, e.source, {review_id},
       NULL, NULL, NULL, e.model_version, NULL, NULL{null}
FROM result_events AS e
LEFT JOIN {unnested} ON {true}
WHERE e.kind <> 'scored' {settled}
"""
RESULTS_WORDS = {
    "sqlite": {
        "xid": "e.xid",
        "position": "r.key",
        "review_id": "r.value",
        "unnested": "json_each(e.review_ids) AS r",
        "true": "TRUE",
        "settled": "",
    },
    "postgresql": {
        "xid": "e.xid::text::bigint",
        "position": "(r.number - 1)::int",
        "review_id": "r.review_id",
        "unnested": "LATERAL jsonb_array_elements_text(e.review_ids) WITH ORDINALITY "
        "AS r(review_id, number)",
        "true": "TRUE",
        "settled": "AND e.xid < pg_snapshot_xmin(pg_current_snapshot())",
    },
}
TIMES = ("reviews", "dead_letters")


def upgrade() -> None:
    for table in TIMES:
        op.add_column(table, sa.Column("written_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_reviews_written_at",
        "reviews",
        ["written_at"],
        sqlite_where=sa.text("written_at IS NOT NULL"),
        postgresql_where=sa.text("written_at IS NOT NULL"),
    )
    op.add_column("chunks", sa.Column("content_hash", sa.String(length=16), nullable=True))
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, statement in _views("written_at").items():
        if is_sqlite:
            op.execute(f"DROP VIEW {name}")
            op.execute(statement)
        else:  # others are built on them
            op.execute(statement.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1))


def downgrade() -> None:
    others = _built_on_these()
    for name in (*others, "results", "review_scores"):
        op.execute(f"DROP VIEW {name}")
    for statement in (*_views("").values(), *others.values()):
        op.execute(statement)
    op.drop_column("chunks", "content_hash")
    op.drop_index("ix_reviews_written_at", "reviews")
    for table in TIMES:
        op.drop_column(table, "written_at")


def _views(name: str) -> dict[str, str]:
    """Return the statements that create the views, by name; without a name, those of before."""
    dialect = op.get_bind().dialect.name
    of_r, of_s, null = (f", r.{name}", f",\n       s.{name}", ", NULL") if name else ("", "", "")
    return {
        "review_scores": REVIEW_SCORES.format(
            w=of_r, same_text="COALESCE(p.text_hash = r.text_hash, FALSE)"
        ),
        "results": RESULTS.format(**RESULTS_WORDS[dialect], w=of_s, null=null),
    }


def _built_on_these() -> dict[str, str]:
    """Return how PostgreSQL creates views that are built on these; SQLite looks them up late."""
    if op.get_bind().dialect.name == "sqlite":
        return {}
    query = sa.text(
        "SELECT DISTINCT v.relname AS name, pg_get_viewdef(v.oid) AS definition "
        "FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid "
        "JOIN pg_class AS v ON v.oid = r.ev_class "
        "WHERE d.refobjid = 'review_scores'::regclass "
        "AND v.relname NOT IN ('review_scores', 'results')"
    )
    found = op.get_bind().execute(query)
    return {row.name: f"CREATE VIEW {row.name} AS {row.definition}" for row in found}
