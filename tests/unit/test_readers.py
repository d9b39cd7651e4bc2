import gzip
import io
import os
import sys
import threading
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iyu.producer.readers.files import Format, read_rows
from iyu.producer.readers.text_files import LINE_LIMIT
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import Reason, Rejection, admit

ROWS = [("1", "굳 ㅋ"), ("2", '그는 "최고"라 했다'), ("3", "")]
TSV = 'id\tdocument\tlabel\n1\t굳 ㅋ\t1\n2\t"그는 ""최고""라 했다"\t0\n3\t\t0\n'


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


class Piped(io.BytesIO):
    """Standard input that is a pipe."""


def pipe(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Piped(content.encode())))


@pytest.mark.parametrize("name", ["a.tsv", "a.txt", "a"])
def test_tsv_as_pandas_writes_it(tmp_path: Path, name: str):
    rows = read_rows(write(tmp_path / name, TSV))
    assert list(rows) == ROWS
    assert rows.total == 3


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_csv_with_its_usual_delimiters(tmp_path: Path, delimiter: str):
    file = write(tmp_path / "a.csv", TSV.replace("\t", delimiter))
    assert list(read_rows(file)) == ROWS


def test_byte_order_mark_crlf_and_blank_lines_are_no_matter(tmp_path: Path):
    content = b"\xef\xbb\xbf" + ("\n" + TSV).replace("\n", "\r\n").encode() + b"\r\n\r\n"
    assert list(read_rows(write(tmp_path / "a.csv", content))) == ROWS


@pytest.mark.parametrize("encoding", ["cp949", "utf-16"])
def test_another_encoding(tmp_path: Path, encoding: str):
    file = write(tmp_path / "a.txt", TSV.encode(encoding))
    assert list(read_rows(file, encoding=encoding)) == ROWS


def test_gzip_is_unpacked(tmp_path: Path):
    assert list(read_rows(write(tmp_path / "a.tsv.gz", gzip.compress(TSV.encode())))) == ROWS


def test_a_quoted_field_may_hold_line_feeds(tmp_path: Path):
    file = write(tmp_path / "a.csv", 'id,text\n1,"첫 줄\n둘째 줄"\n')
    assert list(read_rows(file)) == [("1", "첫 줄\n둘째 줄")]


def test_a_row_of_another_width_is_rejected_by_its_line(tmp_path: Path):
    file = write(tmp_path / "a.csv", "id,text\n1,좋다\n2\n3,나쁘다,1\n4,굳\n")
    assert list(read_rows(file)) == [
        ("1", "좋다"),
        Rejection("line 3", Reason.MALFORMED_ROW),
        Rejection("line 4", Reason.MALFORMED_ROW),
        ("4", "굳"),
    ]


def test_rows_that_stray_quotes_would_glue_together_are_all_rejected(tmp_path: Path):
    file = write(tmp_path / "a.tsv", 'id\ttext\n1\t"최고\n2\t별로\n3\t"굳\n4\t음\n')
    assert list(read_rows(file)) == [
        *(Rejection(f"line {n}", Reason.MALFORMED_ROW) for n in (2, 3, 4)),
        ("4", "음"),
    ]


def test_quotes_may_be_plain_characters(tmp_path: Path):
    file = write(tmp_path / "a.tsv", 'id\ttext\n1\t"최고\n2\t"굳" 이다\n')
    assert list(read_rows(file, quotes=False)) == [("1", '"최고'), ("2", '"굳" 이다')]


def test_a_field_longer_than_python_allows_reaches_the_entrance(tmp_path: Path):
    file = write(tmp_path / "a.csv", f"id,text\n1,{'가' * 200_000}\n2,굳\n")
    first, second = read_rows(file)
    assert admit(*first) == Rejection("1", Reason.TOO_LONG)
    assert second == ("2", "굳")


def test_json_lines(tmp_path: Path):
    lines = [
        '{"id": 1, "text": "굳"}',
        "",
        '{"id": 2}',
        '{"id": 3, "text": NaN}',
        '{"id": 4, "text": "\\ud800"}',
        "{broken",
        "[1, 2]",
        '"text"',
        "[" * 100_000,
        '{"text": "끝", "id": "9", "more": {}}',
    ]
    rows = list(read_rows(write(tmp_path / "a.jsonl", "\n".join(lines))))
    assert [row for row in rows if isinstance(row, Rejection)] == [
        Rejection(f"line {n}", Reason.MALFORMED_ROW) for n in (6, 7, 8, 9)
    ]
    verdicts = [admit(*row) for row in rows if not isinstance(row, Rejection)]
    assert [getattr(verdict, "reason", None) for verdict in verdicts] == [
        None,
        Reason.EMPTY,
        Reason.EMPTY,
        Reason.SURROGATE,
        None,
    ]


def test_the_first_object_need_not_have_every_key(tmp_path: Path):
    file = write(tmp_path / "a.jsonl", '{"label": 1}\n{"id": "2", "review": "굳"}\n')
    assert list(read_rows(file, "review", "id")) == [(None, None), ("2", "굳")]


def test_parquet(tmp_path: Path):
    table = pa.table({"id": [1.0, 2.0, None], "review": ["굳", None, "음"], "label": [1, 0, 1]})
    pq.write_table(table, tmp_path / "a.parquet")
    rows = read_rows(tmp_path / "a.parquet")
    assert list(rows) == [(1, "굳"), (2, None), (None, "음")]
    assert rows.total == 3


def test_without_an_id_the_same_text_has_the_same_id(tmp_path: Path):
    file = write(tmp_path / "a.csv", "text\n굳\n 굳 \n음\n")
    first, second, third = (row[0] for row in read_rows(file))
    assert first == second != third


def test_standard_input_in_either_format(monkeypatch: pytest.MonkeyPatch):
    pipe(monkeypatch, TSV)
    assert list(read_rows("-")) == ROWS
    pipe(monkeypatch, '{"id": "1", "text": "굳"}\n')
    rows = read_rows("-")
    assert list(rows) == [("1", "굳")]
    assert rows.total is None


def whole_parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": range(9000), "text": [f"좋다 {n}" for n in range(9000)]}), sink)
    return sink.getvalue().to_pybytes()


def broken_page() -> bytes:
    content = bytearray(whole_parquet())
    content[5_000:50_000] = b"\xff" * 45_000
    return bytes(content)


CP949_AT_THE_END = b"id,text\n" + b"1,good\n" * 5000 + "2,굳\n".encode("cp949")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n \n", "is empty"),
        ("a.csv", b"id,text\n", "no review"),
        ("a.csv", b"id,label\n1,1\n", "it has: id, label"),
        ("a.csv", b"id,text,review\n1,a,b\n", "--text-column; it has: id, text, review"),
        ("a.csv", TSV.encode("cp949"), "(line 2) cannot be read"),
        ("a.csv", CP949_AT_THE_END, "byte 35,010 (line 5,002)"),
        ("a.csv", CP949_AT_THE_END, "--encoding cp949"),
        ("a.csv", TSV.encode("utf-16"), "--encoding utf-16"),
        ("a.csv", b'id,text\n1,a\n2,"b\n' + b"3,c\n" * 9, "line 3 of "),
        ("a.csv", b'id,text\n2,"b\n' + b"3,c\n" * 400_000, "never closed"),
        ("a.csv", b'id,"text\n1,a\n', "column names"),
        ("a.jsonl", b'[{"id": 1}]', "jq -c"),
        ("a.jsonl", b"[\n{}]", "jq -c"),
        ("a.jsonl", b"id,text\n1,a\n", "no line of"),
        ("a.jsonl", b'{"id": 1}\n' * 200, "it has: id"),
        ("a.parquet", b"PAR1 and no more", "not a complete Parquet"),
        ("a.parquet", whole_parquet()[:-100], "not a complete Parquet"),
        ("a.parquet", broken_page(), "not a complete Parquet"),
        ("a.csv.gz", gzip.compress(TSV.encode() * 999)[:-20], "broken gzip"),
        ("a.xlsx", b"PK\x03\x04...", "save it as CSV"),
    ],
)
def test_a_broken_file_is_refused_before_its_first_row(
    tmp_path: Path, name: str, content: bytes, says: str
):
    with pytest.raises(InputError) as refused:
        read_rows(write(tmp_path / name, content))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_is_no_file_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="does not exist"):
        read_rows(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a directory"):
        read_rows(tmp_path)
    with pytest.raises(InputError, match="no text encoding 'utf-9'"):
        read_rows(write(tmp_path / "a.csv", TSV), encoding="utf-9")
    with pytest.raises(InputError, match="give a file"):
        read_rows("-", format=Format.PARQUET)


def test_a_missing_column_is_told_with_those_there_are(tmp_path: Path):
    file = write(tmp_path / "a.csv", TSV)
    with pytest.raises(InputError, match="no column 'body'; it has: id, document, label"):
        read_rows(file, "body")
    with pytest.raises(InputError, match="no column 'key'"):
        read_rows(file, "document", "key")


def test_without_pyarrow_parquet_is_one_line_that_names_the_extra(tmp_path: Path, monkeypatch):
    path = tmp_path / "a.parquet"
    path.write_bytes(whole_parquet())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pip install 'iyu\[parquet\]'"):
        list(read_rows(path))


MANY = "id,text\n" + "".join(f"{n},리뷰 {n}\n" for n in range(20_000))  # several blocks of a pipe


def fed(path: Path | int, content: bytes) -> threading.Thread:
    """Write into a pipe from another thread, as another program would."""

    def feed() -> None:
        with open(path, "wb") as pipe:
            pipe.write(content)

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_named_pipe_is_read_once_and_whole(tmp_path: Path, pack):
    os.mkfifo(tmp_path / "reviews.csv")
    writer = fed(tmp_path / "reviews.csv", pack(MANY.encode()))
    rows = read_rows(tmp_path / "reviews.csv")
    assert rows.total is None
    assert list(rows) == [(str(n), f"리뷰 {n}") for n in range(20_000)]
    writer.join(10)
    assert not writer.is_alive()


def test_a_process_substitution_loses_no_block():
    reading, writing = os.pipe()
    fed(writing, MANY.encode())
    assert len(list(read_rows(f"/dev/fd/{reading}"))) == 20_000
    os.close(reading)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"PAR1" + b"x" * 100, "give a file"), (b"PK\x03\x04" + b"x" * 100, "save it as CSV")],
)
def test_what_a_pipe_cannot_carry_is_refused_in_one_line(tmp_path: Path, content, message):
    os.mkfifo(tmp_path / "pipe")
    fed(tmp_path / "pipe", content)
    with pytest.raises(InputError, match=message) as refused:
        read_rows(tmp_path / "pipe")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_line_without_end_is_named_and_not_held_in_memory(tmp_path: Path, name: str):
    head = {"a.csv": b"id,text\n1,", "a.jsonl": b'{"id": 1, "text": "a"}\n{"text": "'}[name]
    packed = gzip.compress(head + b"x" * (4 * LINE_LIMIT), compresslevel=1)
    file = write(tmp_path / f"{name}.gz", packed)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"line 2 of .* is longer than") as refused:
            read_rows(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "\n" not in str(refused.value)
    assert peak < 3 * LINE_LIMIT  # the file unpacked is four times the limit


def test_a_column_that_is_there_twice_is_named(tmp_path: Path):
    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    pq.write_table(table, tmp_path / "a.parquet")
    csv_file = write(tmp_path / "a.csv", "id,id,text\n1,2,좋다\n")
    for file, column in ((tmp_path / "a.parquet", "text"), (csv_file, "id")):
        with pytest.raises(InputError, match=f"'{column}' more than once"):
            read_rows(file)
    write(csv_file, "id,x,x,text\n1,2,3,좋다\n")
    assert list(read_rows(csv_file)) == [("1", "좋다")]
