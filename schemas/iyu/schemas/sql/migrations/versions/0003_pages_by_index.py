"""Views that answer a page of the latest from an index"""

from alembic import op

from iyu.schemas.sql.views import create_statements

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: What SQLite's planner should take for granted: a million reviews of a few sources, one row a
#: review and model. Without it every index counts as poor, and pages read the whole table.
STATISTICS = {
    ("reviews", "sqlite_autoindex_reviews_1"): "1000000 250000 1",
    ("reviews", "ix_reviews_submitted_at"): "1000000 500",
    ("predictions", "sqlite_autoindex_predictions_1"): "1000000 250000 1 1",
    ("predictions", "ix_predictions_scored_at"): "1000000 500",
    ("explanations", "sqlite_autoindex_explanations_1"): "1000000 250000 1 1 1",
    ("models", "sqlite_autoindex_models_1"): "4 1",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for view in ("keyword_importance", "token_heat", "review_scores"):
        op.execute(f"DROP VIEW {view}")
    for statement in create_statements(dialect):
        op.execute(statement)
    if dialect == "sqlite":
        _state_statistics()


def downgrade() -> None:
    # The views stay: their columns are the same.
    if op.get_bind().dialect.name == "sqlite":
        _forget_statistics()


def _state_statistics() -> None:
    op.execute("ANALYZE models")  # makes the table of statistics
    _forget_statistics()
    for (table, index), statistic in STATISTICS.items():
        op.execute(f"INSERT INTO sqlite_stat1 VALUES ('{table}', '{index}', '{statistic}')")
    op.execute("ANALYZE sqlite_schema")  # reads them in


def _forget_statistics() -> None:
    tables = ", ".join(f"'{table}'" for table, _ in STATISTICS)
    op.execute(f"DELETE FROM sqlite_stat1 WHERE tbl IN ({tables})")
