"""Read scores and their reasons with SQL: no iyu is needed for that, only the database.

IYU_DATABASE_URL says which; the query is the same on SQLite and PostgreSQL.
"""

import os

from sqlalchemy import create_engine, text

QUERY = text("""
SELECT s.review_id, s.probability, t.surface, t.heat
FROM review_scores AS s
JOIN token_heat AS t ON t.source = s.source AND t.review_id = s.review_id
WHERE s.source = :source AND t.method = 'gradcam' AND t.heat IS NOT NULL
ORDER BY s.review_id, t.position
""")

engine = create_engine(os.environ["IYU_DATABASE_URL"])
with engine.connect() as connection:
    for review_id, probability, surface, heat in connection.execute(QUERY, {"source": "example"}):
        print(f"{review_id}\t{probability:.3f}\t{surface}\t{heat:+.2f}")
engine.dispose()
