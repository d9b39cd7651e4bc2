"""Reviews made of word lists: as many as asked for, all different, the same every time."""

from collections.abc import Iterator
from itertools import islice, product

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

Pair = tuple[str, str]  # review_id, text


def made(count: int, first: int = 0) -> list[Pair]:
    """Return `count` reviews, beginning with number `first`."""
    return list(islice(_all(), first, first + count))


def _all() -> Iterator[Pair]:
    words = product(ENDS, ENDS, MIDDLES, BEGINNINGS, ENDS)
    for number, (other, last, middle, beginning, end) in enumerate(words):
        yield f"r{number}", f"{beginning} {middle} {end}, {last} {other}"
