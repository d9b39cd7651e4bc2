"""The words that decide, against figures reckoned on paper."""

import numpy as np
import pytest

from iyu.console.analysis.keyword_changes import changes
from iyu.console.analysis.keyword_order import Order
from iyu.console.analysis.keyword_plot import korean_font, plot_keywords
from iyu.console.analysis.keyword_ranking import collect, rank, resampled_means
from iyu.console.analysis.stored_heat import Key, draw, shared


def key(number, label=0, source="s"):
    return Key(source, f"r{number}", "m", "hash", label)


def token(surface, heat, pos="NNG"):
    return {"surface": surface, "pos": pos, "start": 0, "end": 1, "heat": heat}


def reviews(count, *tokens):
    return [(key(i, i % 2), list(tokens)) for i in range(count)]


def test_figures_are_those_of_the_occurrences():
    """최고 twice in the first review, once in the second; outside the window it does not count."""
    collected = collect(
        [
            (key(1, 1), [token("최고", 2.0), token("최고", 1.0), token("는", 1.0, "JX")]),
            (key(2, 1), [token("최고", 1.0), token("별로", -3.0)]),
            (key(3, 0), [token("최고", None), token("별로", -1.0)]),
        ]
    )
    (best,), (worst,) = rank(collected, Order.SHARE, min_reviews=2, top=5)
    assert (best.surface, best.reviews, best.occurrences, best.positive_reviews) == (
        "최고",
        2,
        3,
        2,
    )
    assert best.total_heat == 4.0
    assert best.mean_heat == pytest.approx(4 / 3)
    assert best.share == pytest.approx((3 / 4 + 1 / 4) / 2)
    assert (worst.surface, worst.total_heat, worst.share) == ("별로", -4.0, (-3 / 4 - 1) / 2)
    assert best.low <= best.mean_heat <= best.high
    assert best.examples[0].review_id == "r1"
    assert worst.examples[0].review_id == "r2"


def test_function_words_come_only_when_asked_for():
    explained = reviews(3, token("은", 1.0, "JX"), token("안", -1.0, "MAG"))
    assert set(collect(explained).words) == {("안", "MAG")}
    assert set(collect(explained, function_words=True).words) == {("안", "MAG"), ("은", "JX")}


def test_orders_differ_as_their_names_say():
    collected = collect(
        [*reviews(2, token("강", 3.0), token("약", 1.0)), *reviews(9, token("약", 1.0))]
    )
    first = {order: rank(collected, order, min_reviews=1, top=1)[0][0].surface for order in Order}
    assert first == {Order.SHARE: "약", Order.MEAN: "강", Order.TOTAL: "약"}


def test_a_word_that_is_not_surely_on_one_side_is_left_out():
    mixed = [(key(i), [token("글쎄", 1.0 if i % 2 else -0.9)]) for i in range(40)]
    assert rank(collect(mixed), Order.MEAN, min_reviews=1, top=5) == ([], [])


def test_rare_words_are_left_out():
    collected = collect(reviews(4, token("최고", 1.0)))
    assert rank(collected, Order.SHARE, min_reviews=5, top=5)[0] == []


def test_resampled_means_spread_as_the_standard_error_says():
    values = np.random.default_rng(0).normal(2.0, 1.0, 400)
    means = resampled_means(values, [1] * 400)
    assert means.mean() == pytest.approx(values.mean(), abs=0.01)
    assert means.std() == pytest.approx(values.std() / 20, rel=0.1)


def test_a_draw_is_balanced_and_the_same_whatever_the_order():
    keys = [key(i, int(i % 5 == 0)) for i in range(3_000)]
    drawn = draw(iter(keys), 200, seed=1)
    assert sum(k.label for k in drawn) == 100
    assert len(drawn) == 200
    assert drawn == draw(reversed(keys), 200, seed=1)
    assert drawn != draw(iter(keys), 200, seed=2)
    assert len(draw(iter(keys), 10_000, seed=1)) == 1_200  # as many as the rarer label has


def test_shared_reviews_stand_in_the_same_order():
    one, other = shared([key(3), key(1), key(2)], [key(2), key(1), key(4)])
    assert [k.review_id for k in one] == [k.review_id for k in other] == ["r1", "r2"]


def test_changes_are_in_units_of_each_models_usual_heat():
    """The second model says the same ten times louder, but for one word."""
    old = collect(reviews(30, token("가", 1.0), token("나", 1.0)))
    new = collect(reviews(30, token("가", 10.0), token("나", -10.0)))
    (found,) = changes(old, new, min_reviews=1, top=5)
    assert (found.surface, found.before, found.after) == ("나", 1.0, -1.0)


def test_the_plot_is_a_picture_with_a_korean_font(tmp_path):
    """Warnings are errors here: a letter missing from the font would be one."""
    up, down = rank(
        collect(reviews(9, token("최고", 1.0), token("별로", -2.0))),
        Order.SHARE,
        min_reviews=1,
        top=5,
    )
    plot_keywords(up, down, tmp_path / "words.png", title="열 리뷰", order=Order.SHARE)
    assert (tmp_path / "words.png").read_bytes().startswith(b"\x89PNG")
    assert "Nanum" in korean_font().get_name()
