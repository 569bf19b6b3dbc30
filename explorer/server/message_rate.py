"""Middleware that limits how fast the messages of one websocket reach Streamlit."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState

from explorer.server.refusals import REFUSALS, Refusal

# Every rerun starts a thread, and unfinished ones pile up. A person clicks and drags more slowly.
RATE, BURST = 10, 10  # messages per second that reach Streamlit
# A held key repeats 30 to 70 times per second.
FLOOD_RATE, FLOOD_BURST = 100, 100  # messages per second that may be sent
MAX_WAITING, MAX_WAITING_BYTES = 100, 2_000_000
HOLD = 10  # seconds
LOOK_EVERY = 1.0  # second, to see whether a held connection has ended
POLICY_VIOLATION = 1008  # close code of RFC 6455
TRIGGERS = ("trigger_value", "string_trigger_value", "chat_input_value", "json_trigger_value")


class MessageRate:
    """Middleware that passes on at most `RATE` messages per second and websocket.

    Messages beyond the rate wait, and a waiting rerun that the next one supersedes is dropped, so
    that the last state arrives soon however fast it changes. A client that floods is not read for
    `HOLD` seconds, so that TCP stops it, and is then disconnected.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request; of a websocket, with its messages slowed down."""
        if scope["type"] == "websocket":
            receive = Inbox(receive, send).receive
        await self.app(scope, receive, send)


@dataclass
class TokenBucket:
    """A budget that grows by `rate` per second up to `burst`."""

    rate: float
    burst: float
    clock: Callable[[], float] = time.monotonic
    _level: float = field(init=False)
    _updated: float = field(init=False)

    def __post_init__(self) -> None:
        self._level, self._updated = self.burst, self.clock()

    def delay(self) -> float:
        """Return the seconds until there is budget for one; 0 if there is."""
        now = self.clock()
        self._level = min(self.burst, self._level + (now - self._updated) * self.rate)
        self._updated = now
        return max(0.0, (1 - self._level) / self.rate)

    def take(self) -> None:
        """Take one, after `delay` returned 0."""
        self._level -= 1


class Inbox:
    """The messages of one websocket that wait for their turn."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._waiting: deque[tuple[Message, ClientState | None]] = deque()
        self._budget = TokenBucket(RATE, BURST)
        self._flood = TokenBucket(FLOOD_RATE, FLOOD_BURST)

    async def receive(self) -> Message:
        """Return the next message, when there is budget for it.

        Messages are read while others wait, so that the end of the connection is noticed at once.
        """
        while True:
            delay = self._budget.delay() if self._waiting else None
            if delay == 0:
                self._budget.take()
                return self._waiting.popleft()[0]
            message = await self._next(delay)
            if message is None:
                continue
            if message["type"] != "websocket.receive":
                return message
            if self._flood.delay() > 0:
                return await self._hold()
            self._flood.take()
            self._append(message)
            size = sum(
                len(each.get("bytes") or each.get("text") or "") for each, _ in self._waiting
            )
            if len(self._waiting) > MAX_WAITING or size > MAX_WAITING_BYTES:
                return await self._hold()

    def _append(self, message: Message) -> None:
        """Let a message wait, in the place of the last one if it supersedes that."""
        rerun = rerun_request(message)
        last = self._waiting[-1][1] if self._waiting else None
        if rerun is not None and last is not None and supersedes(rerun, last):
            self._waiting.pop()
        self._waiting.append((message, rerun))

    async def _hold(self) -> Message:
        """Pass on nothing more, and close the connection after `HOLD` seconds."""
        REFUSALS[Refusal.MESSAGE_RATE] += 1
        self._waiting.clear()
        for _ in range(round(HOLD / LOOK_EVERY)):
            await asyncio.sleep(LOOK_EVERY)  # without reading
            while (message := await self._next(0)) is not None:
                if message["type"] != "websocket.receive":
                    return message
        await self._send({"type": "websocket.close", "code": POLICY_VIOLATION})
        return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}

    async def _next(self, delay: float | None) -> Message | None:
        """Return the next message, or None if there is none within `delay` seconds."""
        try:
            async with asyncio.timeout(delay):
                return await self._receive()  # loses no message when it is cancelled
        except TimeoutError:
            return None


def rerun_request(message: Message) -> ClientState | None:
    """Return what a message asks to rerun, or None if it is no rerun."""
    request = BackMsg()
    try:
        request.ParseFromString(message.get("bytes") or b"")
    except Exception:  # Streamlit closes the connection
        return None
    return request.rerun_script if request.WhichOneof("type") == "rerun_script" else None


def supersedes(new: ClientState, old: ClientState) -> bool:
    """Return whether nothing is lost if the rerun `old`, directly before `new`, is left out.

    Each rerun carries the state of all widgets. A click, and every other trigger, is only in the
    rerun that it causes; such a rerun is never left out.
    """
    return (
        new.fragment_id in {"", old.fragment_id}
        and new.page_script_hash == old.page_script_hash
        and not old.is_history_navigation
        and {each.id for each in old.widget_states.widgets}
        <= {each.id for each in new.widget_states.widgets}
        and not any(each.WhichOneof("value") in TRIGGERS for each in old.widget_states.widgets)
    )
