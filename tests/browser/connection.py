"""A page's connection to the server, which a test can hold up."""

from collections.abc import Callable

from playwright.sync_api import Page, WebSocketRoute
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


class Connection:
    """The connection of a page, which can hold back what the server sends."""

    def __init__(self, page: Page) -> None:
        self._page, self._is_holding = page, False
        self._held: list[str | bytes] = []
        page.route_web_socket("**/_stcore/stream", self._connect)

    def _connect(self, browser: WebSocketRoute) -> None:
        def forward(message: str | bytes) -> None:
            if self._is_holding:
                self._held.append(message)
            else:
                browser.send(message)

        self._browser = browser
        browser.connect_to_server().on_message(forward)

    def between(self, first: Callable[[], None], second: Callable[[], None]) -> None:
        """Run `first` and `second` in the browser, which gets no answer to `first` in between.

        The server has begun its run for `first` before `second`.
        """
        self._is_holding = True
        first()
        while not self._held:
            self._page.wait_for_timeout(20)
        second()
        self._is_holding = False
        self._release(len(self._held))

    def without_answer(self, act: Callable[[], None]) -> None:
        """Run `act` in the browser, which gets no answer of the server meanwhile."""
        self._is_holding = True
        act()
        self._is_holding = False
        self._release(len(self._held))

    def after_late_answer(
        self, first: Callable[[], None], second: Callable[[], None], third: Callable[[], None]
    ) -> None:
        """Run three functions in the browser; it gets the answer to `first` after `second`.

        It gets the answer to `second` only after `third`.
        """
        self._is_holding = True
        first()
        while not any(ends_a_run(message) for message in self._held):
            self._page.wait_for_timeout(20)
        answered = len(self._held)
        second()
        self._release(answered)
        self._page.wait_for_timeout(500)  # the page draws it
        third()
        self._is_holding = False
        self._release(len(self._held))

    def _release(self, count: int) -> None:
        for message in self._held[:count]:
            self._browser.send(message)
        del self._held[:count]


def ends_a_run(message: str | bytes) -> bool:
    """Return whether a message of the server says that a run has ended."""
    assert isinstance(message, bytes)
    return bool(ForwardMsg.FromString(message).WhichOneof("type") == "script_finished")
