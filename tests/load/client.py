"""A reader without a browser: speaks Streamlit's websocket protocol and keeps what it is told."""

import asyncio
import re
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

TIMEOUT = 60  # seconds for a rerun
# How a script run ends well; one that asks for another run is not the last.
DONE = ForwardMsg.ScriptFinishedStatus
AGAIN = DONE.FINISHED_EARLY_FOR_RERUN
ENDS = {
    DONE.FINISHED_SUCCESSFULLY,
    DONE.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
}


Told = TypeVar("Told")


def awaited(work: Coroutine[Any, Any, Told]) -> Told:
    """What a coroutine gives; in a thread of its own, since Playwright has a loop in the first."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class ReaderError(Exception):
    """The page showed an exception, or the run did not end well."""


@dataclass
class Client:
    """One session. `elements` are what the last run drew, `widgets` what the reader has set."""

    connection: ClientConnection
    query: str = ""
    session: str = ""
    elements: list[Message] = field(default_factory=list)
    widgets: dict[str, WidgetState] = field(default_factory=dict)

    @classmethod
    async def open(cls, address: str, query: str = "") -> "Client":
        """Connects as a browser's page with this address bar does; runs nothing yet."""
        host = urlsplit(address).netloc
        connection = await connect(
            f"ws://{host}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=f"http://{host}",  # type: ignore[arg-type]
            max_size=None,
            ping_interval=None,
            open_timeout=TIMEOUT,
        )
        return cls(connection, query)

    async def run(self) -> float:
        """Runs the page as it is set, and gives the seconds until it was told that all is drawn.

        Raises:
            ReaderError: an exception was drawn, or the run failed.
        """
        request = BackMsg()
        request.rerun_script.query_string = self.query
        request.rerun_script.widget_states.widgets.extend(self.widgets.values())
        start = time.perf_counter()
        await self.connection.send(request.SerializeToString())
        async with asyncio.timeout(TIMEOUT):
            while True:
                message = ForwardMsg.FromString(bytes(await self.connection.recv()))  # type: ignore[arg-type]
                kind = message.WhichOneof("type")
                if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                    self.elements.append(message.delta.new_element)
                if kind == "page_info_changed":
                    self.query = message.page_info_changed.query_string
                if kind == "new_session":
                    self.elements = []
                    self.session = message.new_session.initialize.session_id
                if kind == "script_finished" and message.script_finished != AGAIN:
                    break
        seconds = time.perf_counter() - start
        if message.script_finished not in ENDS:
            raise ReaderError(f"the run ended as {DONE.Name(message.script_finished)}")
        for element in self.drawn("exception"):
            raise ReaderError(f"exception: {element.type} {element.message}")
        for alert in self.drawn("alert"):
            if "failed inside" in alert.body:
                raise ReaderError(alert.body)
        return seconds

    def drawn(self, kind: str) -> list[Any]:
        """The elements of one kind, such as `markdown`, that the last run drew."""
        return [
            getattr(element, kind)
            for element in self.elements
            if element.WhichOneof("type") == kind
        ]

    def texts(self) -> list[str]:
        """What the last run drew as Markdown or as messages."""
        found = [element.body for kind in ("markdown", "alert") for element in self.drawn(kind)]
        return found + [element.body for element in self.drawn("heading")]

    def digest(self) -> str:
        """The digest of `out` that the page shows; empty if it shows none."""
        for text in self.texts():
            if found := re.search(r"Digest of out: ([0-9a-f]{16})", text):
                return found[1]
        return ""

    def has_number(self, label: str) -> bool:
        """Whether the last run drew such a field."""
        return any(one.label == label for one in self.drawn("number_input"))

    def number(self, label: str) -> int:
        """What the field says, as the reader set it or as it was drawn."""
        (widget,) = [one for one in self.drawn("number_input") if one.label == label]
        if widget.id in self.widgets:
            return int(self.widgets[widget.id].double_value)
        return int(widget.value if widget.set_value else widget.default)

    def set_number(self, label: str, value: float) -> None:
        """Types a number into a field, for the next run."""
        (widget,) = [one for one in self.drawn("number_input") if one.label == label]
        self.widgets[widget.id] = WidgetState(id=widget.id, double_value=value)

    def choose(self, label: str, option: str) -> None:
        """Picks a segment of a control, for the next run."""
        (widget,) = [one for one in self.drawn("button_group") if one.label == label]
        index = [one.content for one in widget.options].index(option)
        self.widgets[widget.id] = WidgetState(id=widget.id)
        self.widgets[widget.id].string_array_value.data[:] = [widget.options[index].content]

    def say(self, key: str, state: str) -> None:
        """Says something as the figure of this key, for the next run; JSON or not."""
        (figure,) = [one for one in self.drawn("bidi_component") if f"-{key}" in one.id]
        self.widgets[figure.id] = WidgetState(id=figure.id, json_value=state)

    async def close(self) -> None:
        await self.connection.close()
