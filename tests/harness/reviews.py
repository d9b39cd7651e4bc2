"""Reviews for tests: made of word lists, or a file's that the environment names."""

import os
import random
from collections.abc import Iterator
from itertools import islice, product

from iyu.producer.readers.files import read_rows
from iyu.schemas.contract.review import Review, admit

#: The environment's variable for a file of real reviews, in a format that `iyu submit` reads.
FILE_VARIABLE = "IYU_TEST_REVIEWS"

BEGINNINGS = (
    "정말", "솔직히", "친구랑 봤는데", "기대했는데", "주말에 본", "와 😍", "음...", "결국", "역시",
    "처음에는", "아이들과 함께", "두 번째 보는데",
)  # fmt: skip
MIDDLES = (
    "배우 연기가", "이야기가", "음악이", "결말이", "대사가", "화면이", "가격이", "배송이",
    "포장이", "감독의 연출이", "주인공이", "분위기가",
)  # fmt: skip
ENDS = (
    "최고예요", "지루해요ㅠㅠ", "별로", "너무 좋았다ㅋㅋ", "최악이다", "감동적이었습니다",
    "그저 그래요", "아깝지 않네요", "추천합니다", "다시는 안 봅니다", "훌륭했어요", "실망입니다",
)  # fmt: skip
#: What long reviews begin with: words that stand outside a model's window, and nowhere else.
TITLES = ("과유불급", "권선징악", "용두사미", "고진감래", "새옹지마")
#: One review in so many is longer than a model's window.
LONG_EVERY = 100
LONG_SENTENCES = 40

Pair = tuple[str, str]  # review_id, text


def made(count: int, first: int = 0) -> list[Pair]:
    """Return `count` reviews, all different, beginning with number `first`; always the same."""
    return list(islice(_all(), first, first + count))


def varied(count: int) -> list[Review]:
    """Return `count` reviews of the file that the environment names, or else made ones.

    The made ones are a mixture of all words, some longer than a model's window; always the same.
    """
    path = os.environ.get(FILE_VARIABLE)
    pairs = (row for row in read_rows(path) if isinstance(row, tuple)) if path else _varied()
    reviews = (review for pair in pairs if isinstance(review := admit(*pair), Review))
    return list(islice(reviews, count))


def _all() -> Iterator[Pair]:
    words = product(ENDS, ENDS, MIDDLES, BEGINNINGS, ENDS)
    for number, (other, last, middle, beginning, end) in enumerate(words):
        yield f"r{number}", f"{beginning} {middle} {end}, {last} {other}"


def _varied() -> Iterator[Pair]:
    chance = random.Random(0)
    every = list(product(BEGINNINGS, MIDDLES, ENDS))
    number = 0
    while True:
        sentences = [" ".join(words) for words in chance.choices(every, k=LONG_SENTENCES)]
        if number % LONG_EVERY:
            text = ", ".join(sentences[: chance.randint(1, 2)])
        else:
            text = f"{chance.choice(TITLES)}! {'. '.join(sentences)}"
        yield f"v{number}", text
        number += 1
