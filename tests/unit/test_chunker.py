from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from iyu.producer.chunker import Chunker, chunked
from iyu.schemas.contract.message import wire_size
from iyu.schemas.contract.review import Review

REVIEWS = st.lists(
    st.builds(
        Review,
        review_id=st.text("ab굳", min_size=1, max_size=3),
        text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
    ),
    max_size=60,
)


def wire(chunk: tuple[Review, ...]) -> bytes:
    return orjson.dumps([[review.review_id, review.text] for review in chunk])


@given(REVIEWS, st.integers(1, 9), st.integers(60, 600))
def test_every_chunk_keeps_the_limits(reviews: list[Review], most: int, size: int):
    for chunk in chunked(reviews, most, size):
        assert 1 <= len(chunk) <= most
        assert len({review.review_id for review in chunk}) == len(chunk)
        assert len(wire(chunk)) <= size or len(chunk) == 1


@given(REVIEWS, st.integers(1, 9))
def test_no_review_is_lost_or_out_of_order(reviews: list[Review], most: int):
    chunks = list(chunked(reviews, most))
    assert {review for chunk in chunks for review in chunk} == set(reviews)
    last = {review.review_id: review.text for chunk in chunks for review in chunk}
    assert last == {review.review_id: review.text for review in reviews}


@given(st.lists(st.text("굳음", min_size=1), max_size=60), st.integers(1, 9))
def test_reviews_with_ids_of_their_own_come_out_as_they_went_in(texts: list[str], most: int):
    reviews = [Review(str(n), text) for n, text in enumerate(texts)]
    assert [review for chunk in chunked(reviews, most) for review in chunk] == reviews


def test_a_second_text_of_a_review_opens_a_new_chunk():
    first, other, second = Review("1", "굳"), Review("2", "음"), Review("1", "별로")
    assert list(chunked([first, other, second])) == [(first, other), (second,)]


def test_the_same_review_twice_is_one():
    review = Review("1", "굳")
    assert list(chunked([review, review])) == [(review,)]


def test_a_chunk_ends_at_the_last_byte_that_fits():
    review = Review("1", "굳")
    other = Review("2", "음")
    size = wire_size(review) + wire_size(other) + 1
    assert len(wire((review, other))) == size
    assert list(chunked([review, other], max_bytes=size)) == [(review, other)]
    assert list(chunked([review, other], max_bytes=size - 1)) == [(review,), (other,)]


def test_nothing_gathered_is_no_chunk():
    assert Chunker().take() == ()
    assert list(chunked([])) == []


def test_the_same_text_again_may_say_when_it_was_written():
    chunker, moment = Chunker(), datetime(2014, 5, 1, tzinfo=UTC)
    chunker.add(Review("1", "굳"))
    assert chunker.add(Review("1", "굳", moment)) == ()
    chunker.add(Review("1", "굳"))
    assert chunker.take() == (Review("1", "굳", moment),)
