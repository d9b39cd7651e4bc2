"""The Korean catalogue says everything that the templates say, and nothing else."""

import re
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from iyu.console.web.language import choose_language, load_language

ROOM = Path(str(files("iyu.console.web")))
PLACEHOLDER = re.compile(r"%\(\w+\)s")
HOW = [("**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"**.html": {"trim_blocks": "true", "newstyle_gettext": "true"}}


@pytest.fixture(scope="module")
def catalogue() -> Any:
    text = (ROOM / "locale" / "ko" / "LC_MESSAGES" / "messages.po").read_bytes()
    return read_po(BytesIO(text), locale="ko")


def test_every_sentence_is_there_and_no_other(catalogue: Any):
    said = {message for _, _, message, _, _ in extract_from_dir(ROOM, HOW, OPTIONS)}
    assert {message.id for message in catalogue if message.id} == said
    assert all(message.string and not message.fuzzy for message in catalogue)


def test_placeholders_are_kept(catalogue: Any):
    for message in catalogue:
        if message.id:
            singular = message.id[0] if isinstance(message.id, tuple) else message.id
            string = message.string
            korean = string[0] if isinstance(string, tuple | list) else string
            assert set(PLACEHOLDER.findall(korean)) == set(PLACEHOLDER.findall(singular)), singular


def test_korean_is_korean():
    korean = load_language("ko").translations
    assert korean.gettext("Overview") == "개요"
    assert choose_language({}, {}, "ko").code == "ko"
    assert choose_language({}, {}, "").code == "en"
    assert choose_language({"lang": "xx"}, {"iyu-language": "xx"}, "de,ko;q=0.5").code == "ko"
