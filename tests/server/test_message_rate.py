"""Tests of the rate of one websocket's messages, called as Starlette calls it."""

import asyncio
import selectors
from collections.abc import Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import pytest
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import ChatInputValue, StringTriggerValue
from streamlit.proto.WidgetStates_pb2 import WidgetState

from explorer.server import message_rate
from explorer.server.message_rate import BURST, FLOOD_BURST, MessageRate, TokenBucket
from explorer.server.refusals import REFUSALS, Refusal

Result = TypeVar("Result")
DISCONNECT: Message = {"type": "websocket.disconnect", "code": 1001}
CLICKS: dict[str, dict[str, Any]] = {
    "button": {"trigger_value": True},
    "pill": {"string_trigger_value": StringTriggerValue(data="a")},
    "chat": {"chat_input_value": ChatInputValue(data="a")},
    "component": {"json_trigger_value": '{"pin": 1}'},
}


class InstantSelector(selectors.SelectSelector):
    """The clock of an event loop. It stands still while there is work and skips every wait."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let `timeout` seconds pass at once."""
        self.now += timeout or 0.0
        return super().select(0)


def run(client: Coroutine[Any, Any, Result]) -> Result:
    """Run a client and its server under that clock, however busy the machine is."""
    clock = InstantSelector()

    def loop() -> asyncio.AbstractEventLoop:
        loop = asyncio.SelectorEventLoop(clock)
        loop.time = lambda: clock.now  # type: ignore[method-assign]
        return loop

    bucket = partial(TokenBucket, clock=lambda: clock.now)
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner(loop_factory=loop) as runner:
        patch.setattr(message_rate, "TokenBucket", bucket)
        return runner.run(client)


def rerun(seed: float, clicked: dict[str, Any] | None = None, **request: Any) -> bytes:
    """Return a rerun with the widget `seed`, and with a widget that was clicked."""
    message = BackMsg()
    for name, value in request.items():
        setattr(message.rerun_script, name, value)
    message.rerun_script.widget_states.widgets.append(WidgetState(id="seed", double_value=seed))
    if clicked:
        message.rerun_script.widget_states.widgets.append(WidgetState(id="click", **clicked))
    return message.SerializeToString()


def seeds(messages: Iterable[bytes]) -> list[float]:
    """Return the widget `seed` of each rerun."""
    return [
        BackMsg.FromString(message).rerun_script.widget_states.widgets[0].double_value
        for message in messages
    ]


def passed_on(sent: Sequence[bytes | str], *, end: bool = True) -> tuple[list[Any], list[Message]]:
    """Return the messages that reach the page, of a client that sends all of them at once and
    then disconnects, or waits for the server to; and what the server sends."""
    received: list[Any] = []
    answers: list[Message] = []

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            received.append(message.get("bytes") or message["text"])
        answers.append(message)

    async def client() -> None:
        queue: asyncio.Queue[Message] = asyncio.Queue()
        for each in sent:
            kind = "bytes" if isinstance(each, bytes) else "text"
            queue.put_nowait({"type": "websocket.receive", kind: each})

        async def send(message: Message) -> None:
            answers.append(message)

        async def disconnect() -> None:
            while received[-1:] != list(sent[-1:]):
                await asyncio.sleep(0.01)
            queue.put_nowait(DISCONNECT)

        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            if end:
                tasks.create_task(disconnect())
            await MessageRate(page)({"type": "websocket"}, queue.get, send)

    run(client())
    return received, answers


def test_a_bucket_refills_up_to_its_burst() -> None:
    now = 0.0
    bucket = TokenBucket(rate=2, burst=3, clock=lambda: now)
    for _ in range(3):
        assert bucket.delay() == 0
        bucket.take()
    assert bucket.delay() == 0.5
    now = 0.25
    assert bucket.delay() == 0.25
    now = 100.0
    for _ in range(3):
        assert bucket.delay() == 0
        bucket.take()
    assert bucket.delay() == 0.5


def test_a_few_messages_pass_unchanged_and_in_order() -> None:
    sent: list[bytes | str] = [rerun(1), rerun(1), "text", b"\xff\xff", rerun(2), rerun(3)]
    assert passed_on(sent)[0] == sent


def test_of_a_held_key_the_last_value_arrives() -> None:
    """A key that repeats 60 times per second for a second and a half."""
    sent = [rerun(seed) for seed in range(90)]
    received, _ = passed_on(sent)
    assert len(received) == BURST + 1
    assert seeds(received)[-1] == 89
    assert seeds(received) == sorted(seeds(received))


@pytest.mark.parametrize("kind", CLICKS)
def test_no_click_is_lost(kind: str) -> None:
    sent = [rerun(seed, CLICKS[kind] if seed % 3 == 0 else None) for seed in range(BURST + 9)]
    received, _ = passed_on(sent)
    assert [each for each in received if each in sent[::3]] == sent[::3]
    assert received[-1] == sent[-1]
    assert len(received) < len(sent)


@pytest.mark.parametrize(
    ("first", "second", "are_both_kept"),
    [
        (rerun(1), rerun(2), False),
        (rerun(1, fragment_id="a"), rerun(2, fragment_id="a"), False),
        (rerun(1, fragment_id="a"), rerun(2), False),
        (rerun(1), rerun(2, fragment_id="a"), True),
        (rerun(1, fragment_id="a"), rerun(2, fragment_id="b"), True),
        (rerun(1, page_script_hash="a"), rerun(2, page_script_hash="b"), True),
        (rerun(1, is_history_navigation=True), rerun(2), True),
        (rerun(1, CLICKS["button"]), rerun(2), True),
        (rerun(1), rerun(2, CLICKS["button"]), False),
        (rerun(1), BackMsg(stop_script=True).SerializeToString(), True),
        (BackMsg(stop_script=True).SerializeToString(), rerun(1), True),
        (b"\xff\xff", b"\xff\xfe", True),
    ],
)
def test_only_a_superseded_rerun_is_left_out(
    first: bytes, second: bytes, are_both_kept: bool
) -> None:
    before = [BackMsg(clear_cache=True).SerializeToString()] * BURST
    received, _ = passed_on([*before, first, second])
    assert received[BURST:] == ([first, second] if are_both_kept else [second])


@pytest.mark.parametrize(
    "sent",
    [
        [rerun(seed) for seed in range(FLOOD_BURST + 5)],
        [rerun(seed, CLICKS["button"]) for seed in range(FLOOD_BURST + 5)],
        ["text"] * (FLOOD_BURST + 5),
        [BackMsg(stop_script=True).SerializeToString() + bytes(10)] * (FLOOD_BURST + 5),
        [b"\xff" * 250_000] * (BURST + 10),
    ],
    ids=["reruns", "clicks", "text", "stops", "large"],
)
def test_a_client_that_floods_is_disconnected(sent: list[bytes | str]) -> None:
    before = REFUSALS[Refusal.MESSAGE_RATE]
    received, answers = passed_on(sent, end=False)
    assert len(received) == BURST
    assert REFUSALS[Refusal.MESSAGE_RATE] == before + 1
    assert [(each["type"], each["code"]) for each in answers] == [
        ("websocket.close", 1008),
        ("websocket.disconnect", 1008),
    ]


def test_the_end_of_a_held_connection_is_noticed() -> None:
    async def client() -> list[Message]:
        queue: asyncio.Queue[Message] = asyncio.Queue()
        for seed in range(3 * FLOOD_BURST):
            queue.put_nowait({"type": "websocket.receive", "bytes": rerun(seed)})
        queue.put_nowait(DISCONNECT)
        answers: list[Message] = []

        async def page(scope: Scope, receive: Receive, send: Send) -> None:
            while (message := await receive())["type"] == "websocket.receive":
                pass
            answers.append(message)

        async def send(message: Message) -> None:
            answers.append(message)

        await MessageRate(page)({"type": "websocket"}, queue.get, send)
        return answers

    assert run(client()) == [DISCONNECT]


def test_the_end_of_a_connection_is_noticed_while_messages_wait() -> None:
    async def client() -> int:
        queue: asyncio.Queue[Message] = asyncio.Queue()
        for seed in range(BURST + 20):
            queue.put_nowait({"type": "websocket.receive", "bytes": rerun(seed, CLICKS["button"])})
        queue.put_nowait(DISCONNECT)
        received = 0

        async def page(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal received
            while (await receive())["type"] == "websocket.receive":
                received += 1

        async def send(message: Message) -> None:
            raise AssertionError(message)

        await MessageRate(page)({"type": "websocket"}, queue.get, send)
        return received

    assert run(client()) == BURST
