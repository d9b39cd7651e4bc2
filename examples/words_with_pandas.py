"""Load stored heat into pandas: which words pull reviews down, and which up.

pip install pandas sqlalchemy; IYU_DATABASE_URL says which database.
"""

import os

import pandas as pd
from sqlalchemy import create_engine, text

QUERY = text("""
SELECT review_id, surface, heat
FROM token_heat
WHERE source = :source AND method = 'gradcam' AND is_function = 0 AND heat IS NOT NULL
""")

engine = create_engine(os.environ["IYU_DATABASE_URL"])
with engine.connect() as connection:
    heat = pd.read_sql(QUERY, connection, params={"source": "example"})
engine.dispose()

words = heat.groupby("surface").agg(reviews=("review_id", "nunique"), mean=("heat", "mean"))
print(words.sort_values("mean").to_string(float_format="%+.2f"))
