"""Webhooks: every line is delivered, signed, until it is taken or three days are over."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from standardwebhooks import WebhookVerificationError

from iyu.console.webhooks.address_guard import check_url
from iyu.console.webhooks.deliveries import PAUSES, Delivery, add_delivery, take_lease
from iyu.console.webhooks.payload import MAX_BYTES, empty_message
from iyu.console.webhooks.registry import (
    Webhook,
    add_webhook,
    find_webhook,
    new_secret,
    remove_webhook,
    rotate_secret,
)
from iyu.console.webhooks.run import deliver_all
from iyu.console.webhooks.sender import Sender
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import utc_now
from iyu.schemas.results import Cursor, Filter
from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.tables import webhook_deliveries
from iyu.worker.rows import write_chunk as store
from tests.harness.webhook_receiver import Answer, Receiver
from tests.integration.test_store import MANIFEST, chunk, write


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver().start()
    yield receiver
    receiver.stop()


@pytest.fixture
def shown(engine: Engine) -> Engine:
    with writing(engine) as connection:
        store.register_model(connection, "v1", MANIFEST)
    return engine


@pytest.fixture
def sender() -> Iterator[Sender]:
    sender = Sender(allow_private=True)
    yield sender
    sender.close()


def add(engine: Engine, url: str, **wanted: Any) -> tuple[str, str]:
    with writing(engine) as connection:
        return add_webhook(connection, url, Filter(**wanted), Cursor.parse("0"))


def serve(engine: Engine, sender: Sender, holder: str = "one") -> None:
    while deliver_all(engine, sender, holder, Event()):
        pass


def find(engine: Engine, webhook_id: str) -> Webhook:
    with reading(engine) as connection:
        return find_webhook(connection, webhook_id)


def make_due(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(update(webhook_deliveries).values(due_at=utc_now()))


def delivered(receiver: Receiver, secret: str) -> list[str]:
    messages = [call.verify(secret) for call in receiver.calls]
    return [line["review_id"] for message in messages for line in message["data"]["results"]]


def test_a_new_result_is_a_signed_call_with_its_reason(
    shown: Engine, receiver: Receiver, sender: Sender
):
    _, secret = add(shown, receiver.url)
    write(shown, chunk({"1": "아주 재미있다"}))
    serve(shown, sender)
    [call] = receiver.calls
    [line] = call.verify(secret)["data"]["results"]
    assert (line["source"], line["review_id"], line["label"]) == ("shop", "1", "positive")
    assert line["words"] == [
        {"surface": "아주", "heat": 0.5},
        {"surface": "재미있다", "heat": -0.25},
    ]
    with pytest.raises(WebhookVerificationError):
        call.verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


def test_only_what_is_wanted_is_sent(shown: Engine, receiver: Receiver, sender: Sender):
    _, secret = add(shown, receiver.url, label="negative")
    write(shown, chunk({"good": "좋다"}), probability=0.9)
    write(shown, chunk({"bad": "별로"}), probability=0.1)
    serve(shown, sender)
    assert delivered(receiver, secret) == ["bad"]


def test_a_message_that_was_not_taken_is_sent_again_under_its_id(
    shown: Engine, receiver: Receiver, sender: Sender
):
    def answer(number: int) -> Answer:
        return (503, {}) if number == 0 else (200, {})

    receiver.answer = answer
    webhook_id, secret = add(shown, receiver.url)
    write(shown, chunk({"1": "좋다"}))
    serve(shown, sender)
    assert find(shown, webhook_id).state == "failing"
    assert find(shown, webhook_id).last_error == "it answered 503"
    serve(shown, sender)
    assert len(receiver.calls) == 1, "it was called again before its pause was over"
    make_due(shown)
    serve(shown, sender)
    first, second = receiver.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert delivered(receiver, secret) == ["1", "1"]
    assert (find(shown, webhook_id).state, find(shown, webhook_id).queued) == ("active", 0)


def test_retry_after_is_honoured(shown: Engine, receiver: Receiver, sender: Sender):
    receiver.answer = lambda _: (429, {"retry-after": "3600"})
    add(shown, receiver.url)
    write(shown, chunk({"1": "좋다"}))
    before = utc_now()
    serve(shown, sender)
    with reading(shown) as connection:
        due = connection.execute(webhook_deliveries.select()).one().due_at
    assert due >= before + timedelta(hours=1)


def test_a_receiver_that_is_gone_is_called_no_more(
    shown: Engine, receiver: Receiver, sender: Sender
):
    receiver.answer = lambda _: (410, {})
    webhook_id, _ = add(shown, receiver.url)
    write(shown, chunk({"1": "좋다"}))
    serve(shown, sender)
    write(shown, chunk({"2": "좋다"}))
    serve(shown, sender)
    assert len(receiver.calls) == 1
    assert (find(shown, webhook_id).state, find(shown, webhook_id).queued) == ("ended", 0)


def test_after_three_days_a_message_is_given_up_and_counted(
    shown: Engine, receiver: Receiver, sender: Sender
):
    assert timedelta(days=2, hours=22) < sum(PAUSES, timedelta()) < timedelta(days=3, hours=6)
    receiver.stop()
    webhook_id, _ = add(shown, receiver.url)
    write(shown, chunk({"1": "좋다"}))
    for attempt in range(len(PAUSES) + 1):
        assert find(shown, webhook_id).given_up == 0, attempt
        serve(shown, sender)
        make_due(shown)
    assert (find(shown, webhook_id).given_up, find(shown, webhook_id).queued) == (1, 0)


def test_messages_stay_small_and_none_is_left_out(
    shown: Engine, receiver: Receiver, sender: Sender
):
    _, secret = add(shown, receiver.url)
    ids = [f"{number:03}-{'긴' * 190}" for number in range(120)]
    write(shown, chunk(dict.fromkeys(ids, "아주 재미있다 " + "가" * 5000)))
    serve(shown, sender)
    assert max(len(call.body.encode()) for call in receiver.calls) <= MAX_BYTES
    assert delivered(receiver, secret) == ids


def test_two_processes_share_the_work_and_double_nothing(
    shown: Engine, receiver: Receiver, sender: Sender
):
    webhook_id, secret = add(shown, receiver.url)
    write(shown, chunk({"1": "좋다"}))
    with writing(shown) as connection:
        assert take_lease(connection, webhook_id, "other")
    serve(shown, sender, "one")
    assert receiver.calls == []
    serve(shown, sender, "other")
    assert delivered(receiver, secret) == ["1"]


def test_both_secrets_are_good_while_they_are_changed(
    shown: Engine, receiver: Receiver, sender: Sender
):
    webhook_id, old = add(shown, receiver.url)
    with writing(shown) as connection:
        new = rotate_secret(connection, webhook_id)
    write(shown, chunk({"1": "좋다"}))
    serve(shown, sender)
    assert delivered(receiver, old) == delivered(receiver, new) == ["1"]


def test_what_is_removed_leaves_nothing(shown: Engine, receiver: Receiver, sender: Sender):
    webhook_id, _ = add(shown, receiver.url)
    with writing(shown) as connection:
        remove_webhook(connection, webhook_id)
    write(shown, chunk({"1": "좋다"}))
    serve(shown, sender)
    assert receiver.calls == []
    with pytest.raises(InputError, match="no webhook"):
        find(shown, webhook_id)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8000/x",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::169.254.169.254]/",
        "http://[2002:7f00:1::]/",
        "http://10.1.2.3/",
        "http://169.254.169.254/latest/meta-data",
        "http://0.0.0.0/",
        "http://2130706433/",
        "https://user:secret@example.com/",
        "ftp://example.com/",
        "http:///x",
        "http://exa mple.com/",
        "http://example.com:99999999/",
        "http://한국.example/",
        f"http://{'a' * 64}.example/",
        "http://a..example/",
    ],
)
def test_an_address_that_must_not_be_called_is_refused(url: str):
    with pytest.raises(InputError) as refused:
        check_url(url, allow_private=False)
    assert "secret" not in str(refused.value)


def test_a_name_that_leads_to_this_machine_later_is_not_called(shown: Engine, receiver: Receiver):
    webhook_id, _ = add(shown, receiver.url.replace("127.0.0.1", "localhost"))
    write(shown, chunk({"1": "좋다"}))
    careful = Sender(allow_private=False)
    serve(shown, careful)
    careful.close()
    assert receiver.calls == []
    assert "private network" in str(find(shown, webhook_id).last_error)


@pytest.mark.parametrize("url", [f"http://{'a' * 64}.example/", "http://a..example/"])
def test_a_name_that_is_none_is_refused_also_where_all_may_be_called(url: str):
    with pytest.raises(InputError, match="is not known"):
        check_url(url, allow_private=True)
    check_url("http://[::1]:8000/x", allow_private=True)
    check_url("http://crm_1.internal/", allow_private=True)


#: What a receiver may answer with; a call must be one that failed, not the end of all calls.
HOSTILE_PAUSES = [
    "9" * 5_000,
    "Mon, 01 Jan 99999999999999 00:00:00 GMT",
    "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "-1",
    "",
]


@pytest.mark.parametrize("value", HOSTILE_PAUSES)
def test_no_answer_of_a_receiver_keeps_the_calls_to_others_back(
    shown: Engine, receiver: Receiver, sender: Sender, value: str
):
    receiver.answer = lambda _number: (503, {"retry-after": value})
    hostile, _ = add(shown, receiver.url)
    good = Receiver().start()
    _, secret = add(shown, good.url)
    write(shown, chunk({"1": "좋다"}))
    serve(shown, sender)
    good.stop()
    assert delivered(good, secret) == ["1"]
    assert find(shown, hostile).state == "failing"


def test_an_error_that_nobody_foresaw_is_a_call_that_failed(
    shown: Engine, receiver: Receiver, sender: Sender
):
    broken, _ = add(shown, f"http://{'a' * 64}.example/")  # as from a version that checked less
    _, secret = add(shown, receiver.url)
    write(shown, chunk({"1": "좋다"}))
    serve(shown, sender)
    assert delivered(receiver, secret) == ["1"]
    assert find(shown, broken).state == "failing"


def test_a_receiver_that_does_not_answer_takes_one_call_of_each_round(
    shown: Engine, receiver: Receiver, sender: Sender
):
    gone = Receiver().start()
    gone.stop()
    silent, _ = add(shown, gone.url)
    with writing(shown) as connection:
        webhook = find_webhook(connection, silent)
        for _ in range(5):
            add_delivery(connection, webhook, empty_message())
    _, secret = add(shown, receiver.url)
    write(shown, chunk({"1": "좋다"}))
    assert deliver_all(shown, sender, "one", Event())
    assert delivered(receiver, secret) == ["1"]
    with reading(shown) as connection:
        assert sum(connection.scalars(select(webhook_deliveries.c.attempts))) == 1


#: What a receiver sends after a call has come in, again and again.
ENDLESS = {
    "a byte now and then": (b"HTTP/1.1 200 OK", b"x"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"x-more: and more\r\n"),
    "no HTTP": (b"", b"\x00\xff\r\n"),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_call_ends_however_long_its_receiver_goes_on(
    monkeypatch: pytest.MonkeyPatch, sender: Sender, kind: str
):
    monkeypatch.setattr("iyu.console.webhooks.sender.CALL_SECONDS", 1.0)
    first, again = ENDLESS[kind]

    def answer(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(again)
            time.sleep(0.01)

    with raw_server(answer) as port:
        delivery = Delivery("msg_1", "{}", 0)
        found = sender.send(f"http://127.0.0.1:{port}/", [new_secret()], delivery)
    assert found.status is None
    assert found.error


@contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that takes one connection, reads what comes first, and then answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65_536)
                    answer(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(30)
