"""Addresses of mail and web are found in a text, with all that is written on to them."""

import time

import pytest

from iyu.schemas.contract.addresses import address_tokens, find_addresses


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("문의는 kim.c@naver.com 으로", ["kim.c@naver.com"]),
        ("문의는kim@naver.com으로 주세요", ["문의는kim@naver.com으로"]),
        ("홍길동＠한글.com 이요", ["홍길동＠한글.com"]),
        ("인스타 @kim_c 팔로우", ["@kim_c"]),
        ("https://blog.naver.com/kim?x=1 참고", ["https://blog.naver.com/kim?x=1"]),
        ("WWW.Example.CO.KR\n좋아요", ["WWW.Example.CO.KR"]),
        ("smartstore.naver.com/kim 에서 샀다", ["smartstore.naver.com/kim"]),
        ("a@b.kr c@d.kr", ["a@b.kr", "c@d.kr"]),
        ("재밌다...good.그래도 3.5점 10:30 kr", []),
        ("좋아요. me도 봤다 ok.community", []),
        ("", []),
    ],
)
def test_what_counts_as_an_address(text: str, found: list[str]):
    assert [text[begin:end] for begin, end in find_addresses(text)] == found


def test_tokens_of_an_address_are_named():
    text = "메일 a@b.kr 로"
    starts, ends = [0, 3, 4, 5, 6, 7, 10], [2, 4, 5, 6, 7, 9, 11]
    assert address_tokens(text, starts, ends) == {1, 2, 3, 4, 5}


def test_a_long_text_without_blanks_takes_no_longer_than_its_length():
    def seconds(length: int) -> float:
        begin = time.perf_counter()
        list(find_addresses("a" * length + "@"))
        return time.perf_counter() - begin

    seconds(10)
    assert seconds(200_000) < 50 * max(seconds(20_000), 1e-4)
