"""Korean or English: which of them a reader wants, and the catalogue of its sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final

from babel import Locale
from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

#: The first one is what a reader of neither gets.
LANGUAGES: Final = {"en": "English", "ko": "한국어"}
COOKIE: Final = "iyu-language"
PARAMETER: Final = "lang"


@dataclass(frozen=True, slots=True)
class Language:
    """A language with its sentences."""

    code: str
    translations: NullTranslations
    locale: Locale


@cache
def load_language(code: str) -> Language:
    """Return a language. Its catalogue is compiled here, so no compiled file can be out of date."""
    return Language(code, _translations(code), Locale.parse(code))


def choose_language(
    parameters: Mapping[str, str], cookies: Mapping[str, str], accepted: str
) -> Language:
    """Return the language of the address, else of the cookie, else of Accept-Language."""
    for wanted in (parameters.get(PARAMETER), cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return load_language(str(wanted))
    return load_language(negotiate_locale(_by_preference(accepted), list(LANGUAGES)) or "en")


def _by_preference(accepted: str) -> list[str]:
    """Return the codes of an Accept-Language header, the most wanted first."""
    weighed = []
    for part in accepted.split(",")[:20]:
        code, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), code.replace("-", "_")))
        except ValueError:
            continue
    return [code for weight, code in sorted(weighed, key=lambda one: one[0]) if weight < 0]


def _translations(code: str) -> NullTranslations:
    catalogue = files("iyu.console.web").joinpath("locale", code, "LC_MESSAGES", "messages.po")
    if not catalogue.is_file():
        return NullTranslations()  # the sentences stand in English in the templates
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(catalogue.read_bytes()), locale=code))
    compiled.seek(0)
    return GNUTranslations(compiled)
