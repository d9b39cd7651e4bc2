from pathlib import Path

import pytest

from iyu.schemas.contract.errors import InputError
from iyu.worker.training.data import read_labelled

ROWS = "id\tdocument\tlabel\n1\t좋다\t1\n2\t\t0\n3\tNA\t0\n"


def test_empty_texts_are_counted_and_the_word_na_is_a_text(tmp_path: Path):
    path = tmp_path / "reviews.txt"
    path.write_text(ROWS)
    data = read_labelled(path)
    assert data.texts == ["좋다", "NA"]
    assert data.labels.tolist() == [1, 0]
    assert (data.ids, data.rejected) == (["1", "3"], 1)


def test_every_format_gives_the_same_reviews(tmp_path: Path):
    tsv, csv = tmp_path / "a.tsv", tmp_path / "a.csv"
    lines, parquet = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    tsv.write_text(ROWS)
    csv.write_text(ROWS.replace("\t", ","))
    lines.write_text(
        '{"id": "1", "document": "좋다", "label": 1}\n'
        '{"id": "2", "document": null, "label": 0}\n'
        '{"id": "3", "document": "NA", "label": 0}\n'
    )
    import pandas as pd

    pd.read_csv(tsv, sep="\t", dtype=str, keep_default_na=False).to_parquet(parquet)
    assert [read_labelled(p).texts for p in (tsv, csv, lines, parquet)] == [["좋다", "NA"]] * 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (ROWS.replace("document", "text"), "no column 'document'; it has: id, text, label"),
        (ROWS.replace("\t1\n", "\tgood\n"), "label 'good' in row 1"),
        ("id\tdocument\tlabel\n1\t\t1\n", "no review"),
        ("", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_do(tmp_path: Path, content: str, message: str):
    path = tmp_path / "reviews.tsv"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_labelled(path)


def test_another_encoding_is_named(tmp_path: Path):
    path = tmp_path / "reviews.tsv"
    path.write_bytes(ROWS.encode("cp949"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_labelled(path)


def test_a_file_of_its_own_to_validate_on(tmp_path: Path):
    data, other = tmp_path / "data.tsv", tmp_path / "other.tsv"
    data.write_text("document\tlabel\n" + "좋다\t1\n" * 30)
    other.write_text("document\tlabel\n" + "나쁘다\t0\n" * 4)
    alone, held = read_labelled(data), read_labelled(other)
    assert (alone.held_out, alone.split) == (27, "validation is the last 10%")
    both = alone.validated_on(held)
    assert (both.held_out, len(both)) == (30, 34)
    assert both.texts[30:] == held.texts
    assert both.labels.tolist() == [1] * 30 + [0] * 4
    assert both.split == "validation is other.tsv, 4 reviews"
    assert both.fingerprint not in (alone.fingerprint, held.fingerprint)
