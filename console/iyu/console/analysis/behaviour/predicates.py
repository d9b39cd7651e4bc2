"""Predicates of the behaviour test, with the forms that its templates need.

The two parts share no predicate: what is chosen on the validation part is reported on the other.
Training's own generated sentences use neither list (`iyu.worker.training.wide.predicates`; a test
compares them).
"""

from dataclasses import dataclass
from typing import Final

VALIDATION: Final = "validation"
HELD_OUT: Final = "held-out"
FILM: Final = "film"


@dataclass(frozen=True, slots=True)
class Predicate:
    """One adjective with a subject: 방이 깨끗하다."""

    domain: str
    is_praise: bool
    subject: str  # with its particle
    stem: str  # before 지, 다고, 네요
    infinitive: str  # before 요
    past: str  # before 어요, 습니다, 지만
    modifier: str  # before 데: 깨끗한, 재밌는
    future: str  # before 줄: 깨끗할
    takes_short: bool  # whether 안 before it sounds natural


_TABLE: Final = {
    VALIDATION: """
film + 스토리가 탄탄하 탄탄해 탄탄했 탄탄한 탄탄할 -
film + 연기가 훌륭하 훌륭해 훌륭했 훌륭한 훌륭할 -
film + 영상이 아름답 아름다워 아름다웠 아름다운 아름다울 -
film + 전개가 흥미롭 흥미로워 흥미로웠 흥미로운 흥미로울 -
film - 전개가 지루하 지루해 지루했 지루한 지루할 안
film - 내용이 뻔하 뻔해 뻔했 뻔한 뻔할 안
film - 대사가 유치하 유치해 유치했 유치한 유치할 안
film - 연출이 허술하 허술해 허술했 허술한 허술할 -
shop + 배송이 빠르 빨라 빨랐 빠른 빠를 안
shop + 포장이 꼼꼼하 꼼꼼해 꼼꼼했 꼼꼼한 꼼꼼할 안
shop + 색상이 예쁘 예뻐 예뻤 예쁜 예쁠 안
shop - 마감이 엉성하 엉성해 엉성했 엉성한 엉성할 -
shop - 원단이 거칠 거칠어 거칠었 거친 거칠 안
shop - 냄새가 심하 심해 심했 심한 심할 안
food + 국물이 시원하 시원해 시원했 시원한 시원할 안
food + 고기가 부드럽 부드러워 부드러웠 부드러운 부드러울 안
food + 반찬이 정갈하 정갈해 정갈했 정갈한 정갈할 -
food - 튀김이 느끼하 느끼해 느끼했 느끼한 느끼할 안
food - 고기가 질기 질겨 질겼 질긴 질길 안
food - 반찬이 부실하 부실해 부실했 부실한 부실할 -
app + 화면이 깔끔하 깔끔해 깔끔했 깔끔한 깔끔할 안
app + 사용이 간편하 간편해 간편했 간편한 간편할 -
app + 기능이 유용하 유용해 유용했 유용한 유용할 -
app - 로딩이 느리 느려 느렸 느린 느릴 안
app - 설정이 복잡하 복잡해 복잡했 복잡한 복잡할 안
app - 오류가 잦 잦아 잦았 잦은 잦을 -
hotel + 방이 깨끗하 깨끗해 깨끗했 깨끗한 깨끗할 안
hotel + 침대가 편안하 편안해 편안했 편안한 편안할 안
hotel + 직원이 상냥하 상냥해 상냥했 상냥한 상냥할 -
hotel - 방이 좁 좁아 좁았 좁은 좁을 안
hotel - 복도가 시끄럽 시끄러워 시끄러웠 시끄러운 시끄러울 안
hotel - 화장실이 더럽 더러워 더러웠 더러운 더러울 안
place + 경치가 멋지 멋져 멋졌 멋진 멋질 안
place + 공기가 맑 맑아 맑았 맑은 맑을 안
place + 가이드가 유쾌하 유쾌해 유쾌했 유쾌한 유쾌할 -
place - 길이 위험하 위험해 위험했 위험한 위험할 안
place - 주차장이 비좁 비좁아 비좁았 비좁은 비좁을 -
place - 입장료가 비싸 비싸 비쌌 비싼 비쌀 안
""",
    HELD_OUT: """
film + 영화가 재밌 재밌어 재밌었 재밌는 재밌을 안
film + 음악이 좋 좋아 좋았 좋은 좋을 안
film + 각본이 뛰어나 뛰어나 뛰어났 뛰어난 뛰어날 -
film + 캐릭터가 매력적이 매력적이어 매력적이었 매력적인 매력적일 -
film - 연기가 어색하 어색해 어색했 어색한 어색할 안
film - 시간이 아깝 아까워 아까웠 아까운 아까울 안
film - 줄거리가 답답하 답답해 답답했 답답한 답답할 안
film - 결말이 실망스럽 실망스러워 실망스러웠 실망스러운 실망스러울 -
shop + 사장님이 친절하 친절해 친절했 친절한 친절할 안
shop + 가방이 튼튼하 튼튼해 튼튼했 튼튼한 튼튼할 안
shop + 품질이 만족스럽 만족스러워 만족스러웠 만족스러운 만족스러울 -
shop - 배송이 늦 늦어 늦었 늦은 늦을 안
shop - 포장이 허접하 허접해 허접했 허접한 허접할 안
shop - 바느질이 조잡하 조잡해 조잡했 조잡한 조잡할 -
food + 음식이 맛있 맛있어 맛있었 맛있는 맛있을 안
food + 재료가 신선하 신선해 신선했 신선한 신선할 안
food + 커피가 향긋하 향긋해 향긋했 향긋한 향긋할 -
food - 찌개가 짜 짜 짰 짠 짤 안
food - 생선이 비리 비려 비렸 비린 비릴 안
food - 빵이 눅눅하 눅눅해 눅눅했 눅눅한 눅눅할 안
app + 앱이 편리하 편리해 편리했 편리한 편리할 -
app + 검색이 정확하 정확해 정확했 정확한 정확할 안
app + 디자인이 세련되 세련돼 세련됐 세련된 세련될 -
app - 앱이 불안정하 불안정해 불안정했 불안정한 불안정할 -
app - 결제가 번거롭 번거로워 번거로웠 번거로운 번거로울 안
app - 알림이 귀찮 귀찮아 귀찮았 귀찮은 귀찮을 안
hotel + 객실이 쾌적하 쾌적해 쾌적했 쾌적한 쾌적할 -
hotel + 조식이 푸짐하 푸짐해 푸짐했 푸짐한 푸짐할 안
hotel + 위치가 완벽하 완벽해 완벽했 완벽한 완벽할 -
hotel - 침구가 불결하 불결해 불결했 불결한 불결할 -
hotel - 직원이 무뚝뚝하 무뚝뚝해 무뚝뚝했 무뚝뚝한 무뚝뚝할 안
hotel - 시설이 낡 낡아 낡았 낡은 낡을 안
place + 전시가 알차 알차 알찼 알찬 알찰 안
place + 정원이 근사하 근사해 근사했 근사한 근사할 -
place + 분위기가 아늑하 아늑해 아늑했 아늑한 아늑할 -
place - 공원이 지저분하 지저분해 지저분했 지저분한 지저분할 안
place - 설명이 부족하 부족해 부족했 부족한 부족할 안
place - 매표소가 불친절하 불친절해 불친절했 불친절한 불친절할 -
""",
}


def predicates(part: str) -> list[Predicate]:
    """Return the predicates of a part of the test."""
    return [_read(line) for line in _TABLE[part].strip().splitlines()]


def _read(line: str) -> Predicate:
    domain, sign, subject, stem, infinitive, past, modifier, future, short = line.split()
    forms = (subject, stem, infinitive, past, modifier, future)
    return Predicate(domain, sign == "+", *forms, short == "안")
