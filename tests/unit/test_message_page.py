"""docs/message.md shows a message that the guard accepts as it stands."""

import json
import re
from pathlib import Path

import jsonschema

from iyu.schemas.contract import message
from iyu.schemas.contract.message import TASK
from iyu.worker.transport.message_guard import admit_message

PAGE = Path(__file__).parent.parent.parent / "docs" / "message.md"
CONTRACT = json.loads((Path(message.__file__).parent / "message.schema.json").read_text())


def test_the_messages_that_are_shown_are_accepted():
    shown, named = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    admitted = json.loads(admit_message(shown.encode(), "reviews.live"))
    assert admitted["headers"]["task"] == TASK
    args, kwargs, embed = json.loads(admitted["body"])
    jsonschema.validate([args, kwargs, embed], CONTRACT)
    jsonschema.validate([args, json.loads(named), embed], CONTRACT)
