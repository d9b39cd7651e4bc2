"""Templates of the behaviour test: a capability, and how its sentences are made.

A field is a form of a predicate; with two predicates, `a` comes first and `b` decides.
The two parts share no template.
"""

from typing import Final

from iyu.console.analysis.behaviour.predicates import HELD_OUT, VALIDATION

#: One predicate, and whether the sentence turns it round.
PLAIN: Final = {
    VALIDATION: ("{subject} 정말 {infinitive}요.", "{subject} {past}습니다"),
    HELD_OUT: ("{subject} 참 {stem}네요", "{subject} {past}어요."),
}
LONG_NEGATION: Final = {
    VALIDATION: ("{subject} {stem}지 않아요.", "{subject} 별로 {stem}지 않았습니다"),
    HELD_OUT: ("{subject} {stem}지 않네요", "{subject} 그다지 {stem}지는 않았어요."),
}
SHORT_NEGATION: Final = {
    VALIDATION: ("{subject} 안 {infinitive}요", "{subject} 별로 안 {past}어요."),
    HELD_OUT: ("{subject} 하나도 안 {infinitive}요", "{subject} 안 {past}습니다."),
}
DOUBLE_NEGATION: Final = {
    VALIDATION: ("{subject} {stem}지 않다고는 못 하겠네요",),
    HELD_OUT: ("{subject} {stem}지 않다면 거짓말이죠",),
}
INTENSITY: Final = {
    VALIDATION: ("{subject} 너무너무 {infinitive}요", "{subject} 꽤 {past}습니다"),
    HELD_OUT: ("{subject} 굉장히 {past}어요", "{subject} 좀 {stem}네요"),
}
EXPECTED: Final = {
    VALIDATION: ("{subject} {future} 줄 알았는데 아니었어요.",),
    HELD_OUT: ("{subject} {future} 줄 알았는데 전혀 아니네요",),
}
DENIED: Final = {
    VALIDATION: ("{subject} {stem}다고 들었는데 전혀 아니었어요.",),
    HELD_OUT: ("{subject} {stem}다는 말이 있던데 막상 보니 아니더라고요",),
}
#: Two predicates of opposite kinds in one domain.
CONTRAST: Final = {
    VALIDATION: (
        "{a.subject} {a.modifier}데 {b.subject} {b.infinitive}요.",
        "{a.subject} {a.stem}지만 {b.subject} {b.past}습니다",
    ),
    HELD_OUT: (
        "{a.subject} {a.past}지만 {b.subject} {b.stem}네요",
        "{a.subject} {a.past}는데 {b.subject} 너무 {b.past}어요.",
    ),
}
REPORTED: Final = {
    VALIDATION: ("{a.subject} {a.stem}다고 해서 갔는데 {b.subject} {b.past}어요",),
    HELD_OUT: ("남들은 {a.subject} {a.stem}다고 하지만 저는 {b.subject} {b.past}습니다.",),
}
#: What was hoped for, before a predicate that decides.
HOPED: Final = {
    VALIDATION: {
        True: "기대 안 했는데 {subject} {infinitive}요",
        False: "기대했는데 {subject} {infinitive}요",
    },
    HELD_OUT: {
        True: "큰 기대 없이 골랐는데 {subject} {past}어요",
        False: "기대가 컸는데 {subject} {past}어요",
    },
}
#: Pairs that have to get the same score: a sentence, and the same with something else in it.
INVARIANT: Final = {
    VALIDATION: (
        (
            "민수가 골랐어요. {subject} {infinitive}요",
            "지영이가 골랐어요. {subject} {infinitive}요",
        ),
        ("{subject} {infinitive}요. 3번째입니다", "{subject} {infinitive}요. 5번째입니다"),
        ("{subject} {past}습니다", "{subject} {past}습니다 🙂"),
    ),
    HELD_OUT: (
        ("현우랑 왔는데 {subject} {past}어요", "수빈이랑 왔는데 {subject} {past}어요"),
        ("2명이 왔어요. {subject} {stem}네요", "4명이 왔어요. {subject} {stem}네요"),
        ("{subject} {past}어요", "👀 {subject} {past}어요"),
    ),
}
#: Words that push one way whatever stands before them.
PUSHES: Final = {
    VALIDATION: {False: " 정말 최악이에요.", True: " 정말 최고예요."},
    HELD_OUT: {False: " 진짜 쓰레기네요", True: " 강력 추천합니다"},
}
