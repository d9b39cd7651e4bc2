"""When reviews were written, as files state it: read, or a line that names the row."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iyu.producer.readers.files import read_rows
from iyu.producer.readers.written_times import read_written, read_zone
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import Reason, Rejection, Review, admit

SEOUL = ZoneInfo("Asia/Seoul")
MOMENT = datetime(2014, 5, 1, 3, 30, tzinfo=UTC)
FILES = {
    "a.csv": 'id,text,at\n1,굳,{0}\n2,"두\n줄",{1}\n3,음,{2}\n',
    "a.tsv": "id\ttext\tat\n1\t굳\t{0}\n2\t두 줄\t{1}\n3\t음\t{2}\n",
    "a.jsonl": '{{"id": 1, "text": "굳", "at": "{0}"}}\n{{"id": 2, "text": "두", "at": "{1}"}}\n'
    '{{"id": 3, "text": "음", "at": "{2}"}}\n',
}


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2014-05-01T12:30:00+09:00", MOMENT),
        ("2014-05-01 12:30:00", MOMENT),
        (" 2014-05-01 03:30Z ", MOMENT),
        (datetime(2014, 5, 1, 12, 30), MOMENT),
        (pd.Timestamp("2014-05-01 12:30:00.000000001"), MOMENT),
        # A day stays this day, also where Seoul's midnight is the day before in UTC.
        ("2014-05-01", datetime(2014, 5, 1, 12, tzinfo=UTC)),
        (date(2014, 5, 1), datetime(2014, 5, 1, 12, tzinfo=UTC)),
        ("", None), ("  ", None), (None, None), (float("nan"), None), (pd.NaT, None),
    ],
)  # fmt: skip
def test_a_time_is_read_in_utc(value: object, moment: datetime | None):
    found = read_written(value, SEOUL)
    assert found == moment
    assert type(found) is type(moment)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("2014-05-01 12:30:00", "states no time zone; give --time-zone"),
        (datetime(2014, 5, 1), "states no time zone; give --time-zone"),
        ("0001-01-01T00:00:00Z", "before year 2"),
        ("0001-01-01", "before year 2"),
        ("9999-12-31T23:59:59-05:00", "after year 9999"),
        ("2014-02-30", "is no time"), ("어제", "is no time"), (1398914, "is no time"),
        (True, "is no time"),
    ],
)  # fmt: skip
def test_what_is_no_time_says_why(value: object, why: str):
    with pytest.raises(ValueError, match=why):
        read_written(value, None)


def test_a_zone_that_nobody_knows_is_named():
    with pytest.raises(InputError, match="no time zone 'Seoul'"):
        read_zone("Seoul")


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_when_its_reviews_were_written(tmp_path: Path, name: str):
    times = ("2014-05-01T03:30:00Z", "", "2014-05-01 12:30")
    (tmp_path / name).write_text(FILES[name].format(*times))
    rows = read_rows(tmp_path / name, time_column="at", time_zone="Asia/Seoul")
    verdicts = [admit(*row) for row in rows if not isinstance(row, Rejection)]
    assert [v.written_at for v in verdicts if isinstance(v, Review)] == [MOMENT, None, MOMENT]


@pytest.mark.parametrize(("name", "line"), [("a.csv", 4), ("a.tsv", 3), ("a.jsonl", 2)])
def test_an_unreadable_time_is_named_with_its_line(tmp_path: Path, name: str, line: int):
    wrong = ("2014-05-01", "2014-05-01", "32.1.2014")
    given = wrong if name != "a.jsonl" else (wrong[0], wrong[2], wrong[1])
    given = given if name != "a.tsv" else (wrong[0], wrong[2], wrong[1])
    (tmp_path / name).write_text(FILES[name].format(*given))
    line = 5 if name == "a.csv" else line  # the row before has two lines
    with pytest.raises(InputError, match=rf"line {line} of .*'32.1.2014' in the column 'at'"):
        read_rows(tmp_path / name, time_column="at")


@pytest.mark.parametrize(
    ("times", "zone"),
    [
        (pa.array([MOMENT, None, MOMENT], pa.timestamp("us", tz="UTC")), None),
        (pa.array([MOMENT, None, MOMENT], pa.timestamp("ns", tz="Asia/Seoul")), None),
        (pa.array([datetime(2014, 5, 1, 12, 30), None] * 2, pa.timestamp("ns"))[:3], "Asia/Seoul"),
        (pa.array([MOMENT.isoformat(), "", MOMENT.isoformat()]), None),
    ],
)
def test_parquet_says_when_its_reviews_were_written(
    tmp_path: Path, times: pa.Array, zone: str | None
):
    pq.write_table(pa.table({"text": ["굳", "음", "네"], "at": times}), tmp_path / "a.parquet")
    rows = read_rows(tmp_path / "a.parquet", time_column="at", time_zone=zone)
    verdicts = [admit(*row) for row in rows if not isinstance(row, Rejection)]
    assert [v.written_at for v in verdicts if isinstance(v, Review)] == [MOMENT, None, MOMENT]


def test_an_unreadable_time_in_parquet_is_named_with_its_row(tmp_path: Path):
    times = [MOMENT.isoformat()] * 5_000 + ["어제"]
    table = pa.table({"text": ["굳"] * 5_001, "at": times})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"row 5,001 of .*'어제'"):
        read_rows(tmp_path / "a.parquet", time_column="at")


def test_a_missing_column_of_times_is_named(tmp_path: Path):
    (tmp_path / "a.csv").write_text("id,text\n1,굳\n")
    with pytest.raises(InputError, match="no column 'at'; it has: id, text"):
        read_rows(tmp_path / "a.csv", time_column="at")


def test_a_producer_takes_times_as_objects_and_texts():
    for value in (MOMENT, MOMENT.astimezone(SEOUL), MOMENT.isoformat(), pd.Timestamp(MOMENT)):
        assert admit("1", "굳", value) == Review("1", "굳", MOMENT)
    for missing in (None, pd.NaT, float("nan")):
        assert admit("1", "굳", missing) == Review("1", "굳")
    for wrong in (datetime(2014, 5, 1), "2014-05-01", "", 5, True):
        assert admit("1", "굳", wrong) == Rejection("1", Reason.BAD_TIME)
