"""Whole sentences of the behaviour test, for what no template makes: + praise, - blame."""

from typing import Final

from iyu.console.analysis.behaviour.predicates import HELD_OUT, VALIDATION

NEGATED_PRAISE: Final = "negated praise"
NEGATED_BLAME: Final = "negated blame"
DOUBLE: Final = "double negation"
SPACING: Final = "spacing and typos"

#: Part → capability → sentences. The capability's name says the sign, where it has one.
PHRASES: Final = {
    VALIDATION: {
        NEGATED_PRAISE: """
- 다시 보고 싶지 않아요
- 추천 안 합니다
- 좋은 영화는 아니네요
- 재미가 하나도 없어요
- 마음에 안 들어요
- 별 다섯 개를 줄 정도는 아니에요
- 두 번은 안 갈 것 같아요
- 웃기지도 않고 슬프지도 않아요
- 감동이 전혀 없었습니다
- 볼만한 장면이 없어요
""",
        NEGATED_BLAME: """
+ 돈이 하나도 안 아까워요
+ 후회하지 않으실 거예요
+ 흠잡을 데가 없어요
+ 나쁘지 않아요
+ 실망시키지 않네요
+ 불편한 점이 없었어요
+ 지루할 틈이 없었습니다
+ 질리지가 않아요
+ 아쉬운 게 하나도 없어요
+ 걱정했던 문제는 없었어요
""",
        DOUBLE: """
+ 칭찬하지 않을 수 없네요
+ 안 좋아할 수가 없어요
+ 감탄하지 않을 수 없었습니다
+ 재미없지 않아요
+ 안 웃을 수가 없네요
- 화를 내지 않을 수 없었어요
- 욕을 안 할 수가 없네요
- 문제가 없다고 할 수는 없어요
- 단점이 없지는 않네요
""",
        SPACING: """
- 않 예뻐요
+ 넘 조아요
- 재미업어요
+ 갠찮네요
- 별루에요
+ 맛잇게 먹었어요
- 비추에요
+ 짱조아
- 실망이예요
+ 완젼 만족해요
""",
    },
    HELD_OUT: {
        NEGATED_PRAISE: """
- 이 영화 추천하지 않습니다
- 또 사고 싶은 생각이 없어요
- 맛집이라고 할 수 없네요
- 재밌다고 말 못 하겠어요
- 만족하지 못했어요
- 기억에 남는 장면이 없네요
- 명작은 절대 아닙니다
- 친구한테 권하지 않을래요
- 매력을 느끼지 못했습니다
- 장점을 찾을 수가 없어요
""",
        NEGATED_BLAME: """
+ 단점이 없어요
+ 이 값이면 비싸지 않아요
+ 눈을 뗄 수가 없었다
+ 실패할 일이 없네요
+ 버릴 장면이 하나도 없어요
+ 불만이 전혀 없습니다
+ 두 시간이 길게 느껴지지 않았어요
+ 어디 하나 모자란 데가 없네요
+ 걱정할 필요가 없었어요
+ 한 번도 고장 난 적이 없어요
""",
        DOUBLE: """
+ 추천하지 않을 수 없습니다
+ 반하지 않을 수가 없네요
+ 안 좋은 점을 찾을 수 없어요
+ 이걸 안 보면 후회합니다
+ 싫어할 수가 없는 영화예요
- 실망하지 않을 수 없었어요
- 불만이 없을 수 없죠
- 짜증이 안 날 수가 없어요
- 후회하지 않았다고 할 수 없네요
""",
        SPACING: """
- 않좋아요
+ 재밋네요
- 마니 아쉽내요
+ 진짜 마싯어요
- 노잼이에여
+ 괜춘해요
- 최악이예여
+ 존잼
- 다신 안가요
+ 조앗어요
""",
    },
}


def phrases(part: str, capability: str) -> list[tuple[str, bool]]:
    """Return sentences, and whether each is praise."""
    lines = PHRASES[part].get(capability, "").strip().splitlines()
    return [(line[2:], line.startswith("+")) for line in lines]
