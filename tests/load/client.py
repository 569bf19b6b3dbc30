"""A client of the page without a browser, which speaks Streamlit's websocket protocol."""

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
Status = ForwardMsg.ScriptFinishedStatus
RERUN = Status.FINISHED_EARLY_FOR_RERUN  # another run follows
SUCCESS = {
    Status.FINISHED_SUCCESSFULLY,
    Status.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
}


Result = TypeVar("Result")


def awaited(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a new thread, since Playwright runs a loop in the main one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class PageError(Exception):
    """The page showed an exception, or the run failed."""


@dataclass
class Client:
    """One session.

    Attributes:
        connection: the open websocket.
        query: the page's query string.
        session: the session's id; empty before the first run.
        fragment: the id of the fragment that the page wants to be rerun periodically.
        elements: what the last run drew.
        widgets: the widgets that the user has set, by id.
    """

    connection: ClientConnection
    query: str = ""
    session: str = ""
    fragment: str = ""
    elements: list[Message] = field(default_factory=list)
    widgets: dict[str, WidgetState] = field(default_factory=dict)

    @classmethod
    async def open(cls, address: str, query: str = "", cookie: str = "") -> "Client":
        """Connect as a browser does that shows the page with this query string; run nothing yet."""
        host = urlsplit(address).netloc
        connection = await connect(
            f"ws://{host}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=f"http://{host}",  # type: ignore[arg-type]
            max_size=None,
            ping_interval=None,
            open_timeout=TIMEOUT,
            additional_headers={"Cookie": cookie} if cookie else None,
        )
        return cls(connection, query)

    async def run(self, fragment: str = "") -> float:
        """Run the page with the widgets as set, and return the seconds until the run finished.

        Args:
            fragment: the id of the fragment to run; the whole page by default.

        Raises:
            PageError: an exception was drawn, or the run failed.
        """
        start = time.perf_counter()
        await self.connection.send(self.rerun_message(fragment))
        async with asyncio.timeout(TIMEOUT):
            while True:
                message = ForwardMsg.FromString(bytes(await self.connection.recv()))  # type: ignore[arg-type]
                content = message.WhichOneof("type")
                if content == "delta" and message.delta.WhichOneof("type") == "new_element":
                    self.elements.append(message.delta.new_element)
                if content == "auto_rerun":
                    self.fragment = message.auto_rerun.fragment_id
                if content == "page_info_changed":
                    self.query = message.page_info_changed.query_string
                if content == "new_session":
                    self.elements = []
                    self.session = message.new_session.initialize.session_id
                if content == "script_finished" and message.script_finished != RERUN:
                    break
        seconds = time.perf_counter() - start
        if message.script_finished not in SUCCESS:
            raise PageError(f"the run ended as {Status.Name(message.script_finished)}")
        for element in self.drawn("exception"):
            raise PageError(f"exception: {element.type} {element.message}")
        for alert in self.drawn("alert"):
            if "failed unexpectedly" in alert.body:
                raise PageError(alert.body)
        return seconds

    def rerun_message(self, fragment: str = "") -> bytes:
        """Return the message that asks for a run with the widgets as set."""
        request = BackMsg()
        request.rerun_script.query_string = self.query
        request.rerun_script.fragment_id = fragment
        request.rerun_script.is_auto_rerun = bool(fragment)
        request.rerun_script.widget_states.widgets.extend(self.widgets.values())
        return request.SerializeToString()

    def drawn(self, name: str) -> list[Any]:
        """Return the elements of one type, such as `markdown`, that the last run drew."""
        return [
            getattr(element, name)
            for element in self.elements
            if element.WhichOneof("type") == name
        ]

    def texts(self) -> list[str]:
        """Return the texts of Markdown, HTML, messages and headings that the last run drew."""
        names = "markdown", "html", "alert"
        found = [element.body for name in names for element in self.drawn(name)]
        return found + [element.body for element in self.drawn("heading")]

    def digest(self) -> str:
        """Return the digest of `out` that the page shows; empty if it shows none."""
        for text in self.texts():
            if found := re.search(r"Digest of out: ([0-9a-f]{16})", text):
                return found[1]
        return ""

    def has_number(self, label: str) -> bool:
        """Return whether the last run drew a number input with this label."""
        return any(one.label == label for one in self.drawn("number_input"))

    def number_value(self, label: str) -> int:
        """Return the value of a number input, as the user set it or as it was drawn."""
        (widget,) = [one for one in self.drawn("number_input") if one.label == label]
        if widget.id in self.widgets:
            return int(self.widgets[widget.id].double_value)
        return int(widget.value if widget.set_value else widget.default)

    def set_number(self, label: str, value: float) -> None:
        """Set a number input for the next run."""
        (widget,) = [one for one in self.drawn("number_input") if one.label == label]
        self.widgets[widget.id] = WidgetState(id=widget.id, double_value=value)

    def choose(self, label: str, option: str) -> None:
        """Set a segmented control for the next run."""
        (widget,) = [one for one in self.drawn("button_group") if one.label == label]
        index = [one.content for one in widget.options].index(option)
        self.widgets[widget.id] = WidgetState(id=widget.id)
        self.widgets[widget.id].string_array_value.data[:] = [widget.options[index].content]

    def press(self, label: str) -> None:
        """Press a button in the next run."""
        (widget,) = [one for one in self.drawn("button") if one.label == label]
        self.widgets[widget.id] = WidgetState(id=widget.id, trigger_value=True)

    def set_component_state(self, key: str, state: str) -> None:
        """Set the state of the linked figure with this key for the next run.

        `state` is sent unchanged; it need not be valid JSON.
        """
        (figure,) = [one for one in self.drawn("bidi_component") if f"-{key}" in one.id]
        self.widgets[figure.id] = WidgetState(id=figure.id, json_value=state)

    async def close(self) -> None:
        """Close the websocket."""
        await self.connection.close()
