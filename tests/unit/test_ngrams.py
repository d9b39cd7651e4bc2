"""N-grams and subwords: what they hash to for ever, and which tokens they lie in."""

from collections import Counter

import numpy as np
import pytest

from iyu.worker.text.folding import RUN, bucket, extend, fold, hash_text, skeleton, start
from iyu.worker.text.morphemes import Analyzer, Morphemes
from iyu.worker.text.ngrams import BEGIN, END, ORDERS, SPANS, character_grams, token_grams
from iyu.worker.text.subwords import HASHED, Subwords, rows
from iyu.worker.text.vocabulary import UNK, Vocabulary

BUCKETS = 1 << 21
#: Of "재미 ㅋㅋ", worked out by plain integers.
LITERALS = [
    420933,
    428054,
    830450,
    923514,
    976522,
    1118663,
    1184636,
    1428976,
    1483048,
    1845416,
    1904133,
    1935921,
    1954349,
    1954349,
    1990581,
    2053024,
]


def cut(text: str, *surfaces: str) -> Morphemes:
    starts, end = [], 0
    for surface in surfaces:
        starts.append(text.index(surface, end))
        end = starts[-1] + len(surface)
    ends = [s + len(x) for s, x in zip(starts, surfaces, strict=True)]
    return Morphemes(text, list(surfaces), ["NNG"] * len(surfaces), starts, ends)


def listed(texts: list[Morphemes], row: int) -> Counter[tuple[int, int, int]]:
    grams = character_grams(texts, BUCKETS)
    mine = grams[grams.row == row]
    return Counter(zip(mine.ids.tolist(), mine.first.tolist(), mine.span.tolist(), strict=True))


def one_by_one(text: Morphemes) -> Counter[tuple[int, int, int]]:
    """Return the same by a loop over characters."""
    codes, tokens = [], []
    for token, (first, last) in enumerate(zip(text.starts, text.ends, strict=True)):
        for character in fold_each(text.text[first:last]):
            if codes[-RUN:] != [character] * RUN:
                codes.append(character)
                tokens.append(token)
    if not codes:
        return Counter()
    codes, tokens = [BEGIN, *codes, END], [tokens[0], *tokens, tokens[-1]]
    found: Counter[tuple[int, int, int]] = Counter()
    for order in range(ORDERS):
        for i in range(len(codes) - order):
            span = tokens[i + order] - tokens[i]
            if span < SPANS and (order > 0 or codes[i] not in {BEGIN, END}):
                found[hashed(codes[i : i + order + 1]), tokens[i], span] += 1
    return found


def hashed(codes: list[int]) -> int:
    value = start(1)
    for code in codes:
        value = extend(value, np.array([code], np.uint32))
    salt = np.uint32((len(codes) - 1) * 0x9E3779B1 & 0xFFFFFFFF)
    return int(bucket(value + salt, BUCKETS)[0])


def fold_each(piece: str) -> list[int]:
    return [ord(c) for character in piece for c in fold(character)]


def test_hashes_are_the_same_on_every_machine_and_for_ever():
    assert hash_text("") == 0x811C9DC5
    assert hash_text("a") == 0xE40C292C  # FNV-1a's own test vector
    assert bucket(np.array([0, 1, 0xE40C292C], np.uint32), BUCKETS).tolist() == [0, 927927, 45491]
    grams = character_grams([cut("재미 ㅋㅋ", "재미", "ㅋㅋ")], BUCKETS)
    assert sorted(grams.ids.tolist()) == LITERALS


def test_folding():
    assert fold("ＡＢc！") == "abc!"
    assert fold("ㅋㅋㅋㅋㅋㅋ 최고") == "ㅋㅋㅋ최고"
    assert fold("\u200b ") == ""
    assert skeleton("갔습니다") == skeleton("가스닌") != skeleton("고습니")


def test_the_n_grams_of_two_tokens():
    """재 미 | 짱, with marks: 3 of one character, 4 pairs, 3 threes, 2 fours."""
    found = listed([cut("재미 짱", "재미", "짱")], 0)
    assert sum(found.values()) == 12
    by_place = Counter((first, span) for _, first, span in found.elements())
    # Inside the first: 재 미 ^재 재미 ^재미; inside the second: 짱 짱$; the rest over both.
    assert by_place == {(0, 0): 5, (1, 0): 2, (0, 1): 5}


@pytest.mark.parametrize("review", [0, 1, 2, 3, 4, 5])
def test_a_chunk_has_the_n_grams_of_a_loop(review: int):
    texts = Analyzer().analyze(
        [
            "정말 재미있다!!!!!",
            "ㅋㅋㅋㅋㅋㅋㅋ",
            "A ＢC 최고ㅠㅠㅠㅠ",
            "\u200b",
            "😀 굿",
            "또 볼 까 하 다 말 았 다",
        ]
    )
    assert listed(texts, review) == one_by_one(texts[review])


def test_blanks_do_not_matter_to_characters():
    spaced, joined = cut("재 미", "재", "미"), cut("재미", "재", "미")
    assert listed([spaced], 0) == listed([joined], 0)


def test_the_n_grams_of_tokens():
    hashes = np.array([7, 8, 9, 10], np.uint32)
    grams = token_grams(hashes, np.array([3, 0, 1]), BUCKETS)
    assert grams.row.tolist() == [0, 0, 0, 2, 0, 0]
    assert grams.first.tolist() == [0, 1, 2, 0, 0, 1]
    assert grams.span.tolist() == [0, 0, 0, 0, 1, 1]
    alone = token_grams(hashes[3:], np.array([1]), BUCKETS)
    assert alone.ids.tolist() == [grams.ids[3]]


def test_nothing_has_no_n_grams():
    assert len(character_grams([], BUCKETS).ids) == 0
    assert len(token_grams(np.empty(0, np.uint32), np.array([], np.int64), BUCKETS).ids) == 0


def test_a_token_is_its_word_and_three_hashed_pieces():
    vocabulary = Vocabulary(["영화", "재미"])
    found, hashes = Subwords(vocabulary).look_up(["영화", "처음", "영화"])
    assert found[:, 0].tolist() == [2, UNK, 2]
    assert (found[:, 1:] >= len(vocabulary)).all()
    assert (found[:, 1:] < rows(vocabulary)).all()
    assert rows(vocabulary) == 4 + HASHED
    assert hashes.tolist() == [hash_text("w영화"), hash_text("w처음"), hash_text("w영화")]


def test_what_was_forgotten_is_worked_out_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("iyu.worker.text.subwords._REMEMBERED", 4)
    subwords = Subwords(Vocabulary(["가"]))
    first = subwords.look_up(["가", "나", "다"])
    subwords.look_up(["라", "마", "바"])
    again = subwords.look_up(["가", "나", "다"])
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
