"""The shipped `wide` on negation: the score turns, and the word that turns it has the heat."""

import pytest

from iyu.worker.scoring import Prediction, Scorer


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load("wide")


def heat_of(prediction: Prediction, *surfaces: str) -> float:
    """Return the heat of the tokens that begin with one of the surfaces."""
    tokens = prediction.explanations[0].tokens
    found = [t["heat"] for t in tokens if t["surface"].startswith(surfaces)]
    assert found, tokens
    return sum(found)


@pytest.mark.parametrize(
    ("text", "word", "turn"),
    [
        ("재밌지 않다", "재밌", "않"),
        ("추천하지 않습니다", "추천", "않"),
        ("배우들 연기가 자연스럽지 않았어요", "자연", "않"),
        ("감동이 없다", "감동", "없"),
    ],
)
def test_negated_praise_is_blame_and_the_negation_carries_the_turn(
    scorer: Scorer, text: str, word: str, turn: str
):
    (prediction,) = scorer.score([text])
    assert prediction.probability < 0.5
    assert heat_of(prediction, turn) < 0
    assert heat_of(prediction, turn) < heat_of(prediction, word)
    assert heat_of(prediction, word, turn) < 0


@pytest.mark.parametrize(
    ("text", "word", "turn"),
    [
        ("지루하지 않다", "지루", "않"),
        ("전혀 유치하지 않아요", "유치", "않"),
        ("단점이 없어요", "단점", "없"),
        ("실망하지 않았어요", "실망", "않"),
    ],
)
def test_negated_blame_is_praise_and_the_negation_carries_the_turn(
    scorer: Scorer, text: str, word: str, turn: str
):
    (prediction,) = scorer.score([text])
    assert prediction.probability > 0.5
    assert heat_of(prediction, turn) > 0
    assert heat_of(prediction, turn) > heat_of(prediction, word)
    assert heat_of(prediction, word, turn) > 0


def test_without_a_negation_the_word_itself_has_the_heat(scorer: Scorer):
    good, bad = scorer.score(["재밌다", "지루하다"])
    assert good.probability > 0.5 > bad.probability
    assert heat_of(good, "재밌") > 0 > heat_of(bad, "지루")


def test_the_sentences_that_the_first_models_read_wrong(scorer: Scorer):
    blame = ["추천하지 않습니다", "안 재밌어요", "직원이 불친절했어요"]
    praise = ["단점이 없어요", "시간이 하나도 안 아까웠다", "재미없지 않아요"]
    assert [p.label for p in scorer.score(blame)] == [0, 0, 0]
    assert [p.label for p in scorer.score(praise)] == [1, 1, 1]
