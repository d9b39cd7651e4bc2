import json
import logging

import pytest

from iyu.schemas.contract.logs import JsonFormatter, describe, frames, summary

SECRET = "이 글은 비밀"


def fail_on(text: str) -> None:
    int(text)


def line_of(**given: object) -> dict[str, object]:
    record = logging.makeLogRecord({"name": "iyu.worker", "levelname": "INFO", **given})
    line = JsonFormatter().format(record)
    assert "\n" not in line
    return dict(json.loads(line))


def test_a_line_has_the_fields_that_operators_filter_by():
    line = line_of(msg="chunk %s done", args=("c1",), chunk="c1", batch=None, seconds=0.25)
    assert line["event"] == "chunk c1 done"
    assert (line["chunk"], line["batch"], line["seconds"]) == ("c1", None, 0.25)
    assert (line["level"], line["logger"]) == ("info", "iyu.worker")
    assert str(line["time"]).endswith("+00:00")


def test_only_known_fields_are_written():
    assert SECRET not in json.dumps(
        line_of(msg="x", text=SECRET, review=SECRET), ensure_ascii=False
    )


def test_an_error_is_its_type_and_its_frames_without_values():
    with pytest.raises(ValueError, match=SECRET) as caught:
        fail_on(SECRET)
    error = caught.value
    line = line_of(msg="it failed", exc_info=(type(error), error, error.__traceback__))
    assert line["error"] == "ValueError"
    assert any(str(frame).endswith("fail_on") for frame in line["frames"])  # type: ignore[attr-defined]
    assert SECRET not in json.dumps(line, ensure_ascii=False)
    assert SECRET not in json.dumps(describe(error), ensure_ascii=False)


def test_the_line_for_people_names_the_place_and_not_the_value():
    with pytest.raises(ValueError, match=SECRET) as caught:
        fail_on(SECRET)
    line = summary(caught.value)
    assert line.startswith("ValueError < ")
    assert "fail_on" in line
    assert SECRET not in line


def test_the_cause_is_named_before_what_it_caused():
    def fail() -> None:
        try:
            fail_on(SECRET)
        except ValueError as error:
            raise RuntimeError from error

    with pytest.raises(RuntimeError) as caught:
        fail()
    functions = [frame.rpartition(" ")[2] for frame in frames(caught.value)]
    assert functions.index("fail_on") < len(functions) - 1 - functions[::-1].index("fail")
