"""MeCab-ko's part-of-speech tags: which name a word, which only grammar, which a number.

A contraction has several tags joined by `+`: 진못했 is EC+JX+VX+EP.

Reference: the tag set of mecab-ko-dic, after that of the Sejong corpus.
"""

from functools import cache
from typing import Final

#: First letters of grammar: particles (J), endings (E), punctuation and other symbols (S).
FUNCTION_LETTERS: Final = ("J", "E", "S")
#: Tags that begin with S and yet name words: foreign letters, Chinese characters, numbers.
WORD_SYMBOLS: Final = ("SL", "SH", "SN")
#: Digits: quantities and prices, but telephone, order and account numbers too.
NUMBER: Final = "SN"
#: How tags of words begin: nouns, verbs and adjectives, modifiers, affixes and roots,
#: interjections, what MeCab does not know.
WORD_PREFIXES: Final = ("N", "V", "M", "X", "I", "U", *WORD_SYMBOLS)


@cache
def is_function(pos: str) -> bool:
    """Whether a tag is grammar and nothing else: it carries a sentence, seldom a reason.

    A contraction that holds a word, such as the negation in 진못했, is none. SQL's form of this
    rule is built from the same tags, in `iyu.schemas.sql.views`.
    """
    return all(
        part[:1] in FUNCTION_LETTERS and part[:2] not in WORD_SYMBOLS for part in pos.split("+")
    )


@cache
def is_counted(pos: str) -> bool:
    """Whether words of this tag enter the sums over many reviews: no grammar, and no numbers.

    A number may be a person's. SQL's form of this rule is in `iyu.schemas.sql.views`.
    """
    return not is_function(pos) and NUMBER not in pos.split("+")
