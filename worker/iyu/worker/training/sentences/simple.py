"""Templates of one clause: plain, negated, negated twice, with a noun that is lacked."""

from typing import Final

from iyu.worker.training.sentences.conjugation import has_final
from iyu.worker.training.sentences.endings import (
    denied,
    ended,
    is_not,
    pick,
    refused,
    said_of,
    subject_of,
)
from iyu.worker.training.sentences.words import (
    OF_DENIAL,
    STRONG,
    THINGS,
    TWO_SIDED,
    Draw,
    Made,
    Words,
    clause,
    denied_clause,
    side,
)

_TOPICS: Final = (
    "이 영화는 ", "이 제품은 ", "여기는 ", "이 앱은 ", "정말 ", "참 ", "이 집은 ", "이 호텔은 ",
    "이 책은 ", "이 가게는 ", "", "", "", "",
)  # fmt: skip
_THERE: Final = (
    "있어요", "있네요", "있음", "있었다", "느껴져요", "많아요", "많네요", "있습니다", "있었어요",
    "많음",
)  # fmt: skip


def plain(draw: Draw, words: Words) -> Made:
    """방이 아주 편해요."""
    p = words.draw(draw)
    way = draw.random()
    if way < 0.75:
        return clause(draw, p), side(p.is_praise)
    if way < 0.88:
        q = words.draw(draw, p.is_praise, p)
        first = pick(draw, (f"{p.forms.stem}고", f"{p.forms.infinitive}서 좋고")[: 1 + p.is_praise])
        return f"{pick(draw, p.subjects)} {first} {clause(draw, q)}", side(p.is_praise)
    thing = pick(draw, THINGS)
    ways = (
        f"{p.forms.modifier} {thing}{pick(draw, ('입니다', '이에요', '', '이네요'))}",
        f"{pick(draw, STRONG)}{p.forms.modifier} {thing}",
        f"{pick(draw, STRONG)}{said_of(draw, p.forms)}",
    )
    return pick(draw, ways), side(p.is_praise)


def negation(draw: Draw, words: Words) -> Made:
    """방이 그렇게 편하지 않아요."""
    p = words.draw(draw)
    return denied_clause(draw, p), side(not p.is_praise)


def lack(draw: Draw, words: Words) -> Made:
    """결점이 없어요."""
    is_praise = bool(draw.random() < 0.5)
    noun = pick(draw, words.phrases.nouns[not is_praise])
    said = subject_of(noun) if draw.random() < 0.8 else noun
    if draw.random() < 0.35:  # the noun itself, which is the other way round
        return f"{said} {pick(draw, STRONG)}{pick(draw, _THERE)}", side(not is_praise)
    if draw.random() < 0.25:
        return f"{said} 없는 {pick(draw, THINGS)}", side(is_praise)
    adverb = pick(draw, ("전혀 ", "거의 ", "아예 ", "하나 ", "", "", ""))
    return f"{said} {adverb}{denied(draw, '없')}", side(is_praise)


def verb(draw: Draw, words: Words) -> Made:
    """추천해요; 추천하지 않아요."""
    is_praise = bool(draw.random() < 0.5)
    if draw.random() < 0.4:
        found = words.phrases.verbs[is_praise]
        v = found[int(draw.integers(len(found)))]
        return f"{pick(draw, STRONG)}{said_of(draw, v.forms)}", side(is_praise)
    found = words.phrases.verbs[not is_praise]
    v = found[int(draw.integers(len(found)))]
    return f"{pick(draw, OF_DENIAL)}{refused(draw, v)}", side(is_praise)


def phrase(draw: Draw, words: Words) -> Made:
    """나무랄 데가 없네요."""
    is_praise = bool(draw.random() < 0.5)
    said = ended(draw, pick(draw, words.phrases.denied[is_praise]))
    return pick(draw, _TOPICS) + said, side(is_praise)


def part(draw: Draw, words: Words) -> Made:
    """불편한 데가 하나도 없어요."""
    p = words.draw(draw)
    noun = pick(draw, ("구석이", "부분이", "면이", "곳이", "느낌이", "데라곤"))
    if draw.random() < 0.3:
        there = pick(draw, ("있어요", "많아요", "많네요", "좀 있음", "많았다"))
        return f"{p.forms.modifier} {noun.replace('데라곤', '데가')} {there}", side(p.is_praise)
    adverb = pick(draw, ("전혀 ", "거의 ", "하나도 ", "아예 ", "", ""))
    return f"{p.forms.modifier} {noun} {adverb}{denied(draw, '없')}", side(not p.is_praise)


def no_such_thing(draw: Draw, words: Words) -> Made:
    """편한 숙소는 아니에요."""
    p, thing = words.draw(draw), pick(draw, THINGS)
    m = p.forms.modifier
    topic = thing + ("은" if has_final(thing) else "는")
    ways = (
        f"{m} {subject_of(thing)} {is_not(draw)}",
        f"{m} {topic} {is_not(draw)}",
        f"{m} 건 {is_not(draw)}",
        f"{m} 것 같지는 {denied(draw, '않')}",
        f"{m} {thing}{'이' if has_final(thing) else ''}라고는 못 하겠어요",
        f"{m} 줄 모르겠어요",
    )
    return pick(draw, ways), side(not p.is_praise)


def double(draw: Draw, words: Words) -> Made:
    """방이 안 편한 게 아니에요; 칭찬하지 않을 수 없네요."""
    if draw.random() < 0.35:
        is_praise = bool(draw.random() < 0.5)
        return ended(draw, pick(draw, words.phrases.double[is_praise])), side(is_praise, TWO_SIDED)
    p = words.draw(draw)
    subject, stem = pick(draw, p.subjects), p.forms.stem
    not_so = f"{stem}지 않"
    short = f"안 {p.forms.modifier}" if p.takes_short else f"{not_so}은"
    ways = (
        f"{subject} {not_so}은 게 {is_not(draw)}",
        f"{subject} {short} 게 {is_not(draw)}",
        f"{subject} {not_so}은 건 {is_not(draw)}",
        f"{subject} {not_so}다고 볼 수 {denied(draw, '없')}",
        f"{subject} {not_so}다고 할 수는 {denied(draw, '없')}",
        f"{subject} {short} 부분이 {denied(draw, '없')}",
        f"{not_so}은 날이 {denied(draw, '없')}",
        f"{subject} {not_so}다고 말하지는 못해요",
        f"{subject} {not_so}다고는 말 못 합니다",
        f"{subject} {not_so}다는 건 {pick(draw, ('거짓', '틀린 말', '말도 안 되는 소리'))}",
        f"{subject} {not_so}을 리가 {denied(draw, '없')}",
        f"{subject} {not_so}을 수가 {denied(draw, '없')}",
        f"{subject} {not_so}다고 하면 거짓말이죠",
    )
    return pick(draw, ways), side(p.is_praise, TWO_SIDED)
