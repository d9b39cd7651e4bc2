"""Korean predicates from the form in a dictionary to those that templates need.

Regular stems, 하다, 이다, and the irregular ones that adjectives have: 르, ㅂ, ㅡ and ㄹ.
"""

from dataclasses import dataclass
from typing import Final

_BASE: Final = 0xAC00
_SYLLABLES: Final = 11_172
_VOWELS: Final = 21
_FINALS: Final = 28
_A, _AE, _YA, _EO, _E, _YEO, _O, _WA, _WAE, _OE, _U, _WO, _EU, _I = (
    0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 13, 14, 18, 20,
)  # fmt: skip
_NIEUN, _RIEUL, _RIEUL_MIEUM, _MIEUM, _BIEUP, _SSANGSIOT = 4, 8, 10, 16, 17, 20
#: Stems in ㅂ that keep it.
_KEEP_B: Final = ("좁", "비좁", "뽑", "입", "잡", "씹")
#: Vowel of a stem without a final, and what it and 아 or 어 become.
_CONTRACTED: Final = {
    _A: _A,
    _AE: _AE,
    _EO: _EO,
    _E: _E,
    _YEO: _YEO,
    _O: _WA,
    _U: _WO,
    _OE: _WAE,
    _I: _YEO,
}


@dataclass(frozen=True, slots=True)
class Forms:
    """What templates need of a predicate."""

    stem: str  # before 지, 고, 긴 하지만
    infinitive: str  # before 요
    past: str  # before 어요, 다
    modifier: str  # before 데: 편한, 멋있는
    future: str  # before 줄: 편할
    exclaimed: str  # before 네요: 편하, 머
    quoted: str  # before 고 들었다: 편하다, 끊긴다, 감동적이라
    polite: str  # 편합니다, 좋습니다
    noun: str  # 편함, 좋음

    @property
    def plain(self) -> str:
        """How a written sentence ends: 편하다, 끊긴다, 감동적이다."""
        return self.quoted if self.quoted.endswith("다") else f"{self.stem}다"


def conjugate(word: str, *, is_verb: bool = False) -> Forms:
    """Return the forms of a word of the dictionary: 편하다, 가볍다, 감동적이다.

    is_verb: 끊기는데 and 끊긴다고, in place of 끊긴데 and 끊기다고.
    """
    stem = word.removesuffix("다")
    if stem.endswith("이") and not is_verb:
        return _copula(stem.removesuffix("이"))
    infinitive = stem[:-1] + "해" if stem.endswith("하") else _infinitive(stem)
    final = _parts(stem[-1])[2]
    open_stem = _with(stem, final=0) if final == _RIEUL else stem  # 멀네요, 먼
    modifier, future = _modifiers(stem)
    if is_verb or stem.endswith(("있", "없")):
        modifier = f"{open_stem}는"
    quoted = f"{stem}다"
    if is_verb:
        quoted = _with(open_stem, final=_NIEUN) + "다" if final in (0, _RIEUL) else f"{stem}는다"
    past = _with(infinitive, final=_SSANGSIOT)
    polite, noun = _ended(stem, final)
    return Forms(stem, infinitive, past, modifier, future, open_stem, quoted, polite, noun)


def _copula(noun: str) -> Forms:
    stem = noun + "이"
    if _parts(noun[-1])[2]:
        spoken = (f"{stem}에", f"{stem}었")
        return Forms(stem, *spoken, f"{noun}인", f"{noun}일", stem, f"{stem}라", *_ended(stem, 0))
    spoken = (f"{noun}예", f"{noun}였")
    return Forms(stem, *spoken, f"{noun}인", f"{noun}일", noun, f"{noun}라", *_ended(stem, 0))


def _infinitive(stem: str) -> str:
    """Return the stem with 아 or 어, contracted."""
    _, vowel, final = _parts(stem[-1])
    before = _parts(stem[-2])[1] if len(stem) > 1 and _is_syllable(stem[-2]) else _EO
    if stem.endswith("르"):  # 빠르 → 빨라
        bright = before in (_A, _O)
        return _with(stem[:-1], final=_RIEUL) + ("라" if bright else "러")
    if final == _BIEUP and not stem.endswith(_KEEP_B):  # 가볍 → 가벼워
        return _with(stem, final=0) + ("와" if stem[-1] in "곱돕" else "워")
    if final:
        return stem + ("아" if vowel in (_A, _YA, _O) else "어")
    if vowel == _EU:  # 바쁘 → 바빠
        return _with(stem, vowel=_A if before in (_A, _O) else _EO)
    return _with(stem, vowel=_CONTRACTED[vowel]) if vowel in _CONTRACTED else stem + "어"


def _modifiers(stem: str) -> tuple[str, str]:
    """Return what stands before a noun, as an adjective: 편한 and 편할."""
    final = _parts(stem[-1])[2]
    if final == _BIEUP and not stem.endswith(_KEEP_B):
        opened = _with(stem, final=0)
        return f"{opened}운", f"{opened}울"
    if final == _RIEUL:
        return _with(stem, final=_NIEUN), stem
    if final:
        return f"{stem}은", f"{stem}을"
    return _with(stem, final=_NIEUN), _with(stem, final=_RIEUL)


def _ended(stem: str, final: int) -> tuple[str, str]:
    """Return a stem with 습니다 and with 음."""
    if final == _RIEUL:
        return _with(stem, final=_BIEUP) + "니다", _with(stem, final=_RIEUL_MIEUM)
    if final == _BIEUP and not stem.endswith(_KEEP_B):  # 가벼움
        return f"{stem}습니다", f"{_with(stem, final=0)}움"
    if final:
        return f"{stem}습니다", f"{stem}음"
    return _with(stem, final=_BIEUP) + "니다", _with(stem, final=_MIEUM)


def has_final(word: str) -> bool:
    """Return whether a word ends in a consonant."""
    return _is_syllable(word[-1]) and _parts(word[-1])[2] != 0


def _is_syllable(letter: str) -> bool:
    return 0 <= ord(letter) - _BASE < _SYLLABLES


def _parts(letter: str) -> tuple[int, int, int]:
    place = ord(letter) - _BASE
    return place // (_VOWELS * _FINALS), place // _FINALS % _VOWELS, place % _FINALS


def _with(word: str, *, vowel: int | None = None, final: int | None = None) -> str:
    """Return a word whose last syllable has another vowel or final."""
    first, old_vowel, old_final = _parts(word[-1])
    vowel = old_vowel if vowel is None else vowel
    final = old_final if final is None else final
    return word[:-1] + chr(_BASE + (first * _VOWELS + vowel) * _FINALS + final)
