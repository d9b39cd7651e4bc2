"""The results feed"""

import uuid

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: What was scored before there was a feed: 512 reviews an event, as a chunk would have written.
BACKFILL = {
    "sqlite": """
INSERT INTO result_events (kind, source, model_version, review_ids, happened_at)
SELECT 'scored', source, model_version, json_group_array(review_id), MAX(scored_at)
FROM (
    SELECT source, model_version, review_id, scored_at,
           (ROW_NUMBER() OVER (PARTITION BY source, model_version ORDER BY review_id) - 1) / 512
               AS part
    FROM review_scores
) AS numbered
GROUP BY source, model_version, part
ORDER BY source, model_version, part
""",
    "postgresql": """
INSERT INTO result_events (kind, source, model_version, review_ids, happened_at)
SELECT 'scored', source, model_version, jsonb_agg(review_id ORDER BY review_id), MAX(scored_at)
FROM (
    SELECT source, model_version, review_id, scored_at,
           (ROW_NUMBER() OVER (PARTITION BY source, model_version ORDER BY review_id) - 1) / 512
               AS part
    FROM review_scores
) AS numbered
GROUP BY source, model_version, part
ORDER BY source, model_version, part
""",
}

#: One row a line of the feed; xid and id are in the order in which it may be read.
RESULTS = """
CREATE VIEW results AS
SELECT {xid} AS xid, e.id, {position} AS position, e.kind, e.happened_at, e.source, {review_id}
       AS review_id, s.text, s.submitted_at, s.model, s.model_version, s.probability, s.label
FROM result_events AS e
CROSS JOIN {unnested}
JOIN review_scores AS s ON s.source = e.source AND s.review_id = {review_id}
WHERE e.kind = 'scored' {settled}
UNION ALL
SELECT {xid}, e.id, COALESCE({position}, 0), e.kind, e.happened_at, e.source, {review_id},
       NULL, NULL, NULL, e.model_version, NULL, NULL
FROM result_events AS e
LEFT JOIN {unnested} ON {true}
WHERE e.kind <> 'scored' {settled}
"""
WORDS = {
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


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    _create_tables(dialect)
    cluster = None
    if dialect == "postgresql":
        op.execute("ALTER TABLE result_events ADD COLUMN xid xid8 NOT NULL "
                   "DEFAULT pg_current_xact_id()")  # fmt: skip
        cluster = op.get_bind().scalar(
            sa.text("SELECT CAST(system_identifier AS text) FROM pg_control_system()")
        )
    op.create_index("ix_result_events_xid_id", "result_events", ["xid", "id"])
    op.get_bind().execute(
        sa.text("INSERT INTO result_feed VALUES (:epoch, :cluster, 0, 0)"),
        {"epoch": uuid.uuid4().hex[:12], "cluster": cluster},
    )
    op.execute(BACKFILL[dialect])
    op.execute(RESULTS.format(**WORDS[dialect]))


def _create_tables(dialect: str) -> None:
    xid = [sa.Column("xid", sa.Integer(), server_default="0", nullable=False)]
    op.create_table(
        "result_events",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        *(xid if dialect == "sqlite" else []),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=True),
        sa.Column("model_version", sa.String(length=16), nullable=True),
        sa.Column(
            "review_ids", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_events")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "result_feed",
        sa.Column("epoch", sa.String(length=36), nullable=False),
        sa.Column("cluster", sa.String(length=20), nullable=True),
        sa.Column("pruned_xid", sa.BigInteger(), nullable=False),
        sa.Column("pruned_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_result_feed")),
    )
    op.create_table(
        "result_consumers",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("cursor", sa.String(length=200), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_result_consumers")),
    )


def downgrade() -> None:
    op.execute("DROP VIEW results")
    for table in ("result_consumers", "result_feed", "result_events"):
        op.drop_table(table)
