"""The linked stage figure as a widget of notebooks, with anywidget."""

from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from explorer.analysis.colour_limits import channels
from explorer.analysis.downsampling import whole
from explorer.errors import InputError, check_choice, check_integer, describe
from explorer.export.packed import packed_messages, packed_plotly
from explorer.export.stage_message import stage_message
from explorer.figures.theme import THEMES, style_variables
from explorer.linked_figure.payload import PanelPixel
from explorer.links.reported import window_of
from explorer.links.stage_link import PanelBlock
from explorer.records import BlockTrace

Pin = tuple[str, int, int]


def _styles() -> str:
    parts = [
        (files(f"explorer.{package}") / name).read_text(encoding="utf-8")
        for package, name in (("linked_figure", "linked_figure.css"), ("export", "widget.css"))
    ]
    parts += [
        f'.linked-figure-widget-page[data-theme="{theme}"] {{ {style_variables(theme)} }}'
        for theme in THEMES
    ]
    return "\n".join(parts)


class StageWidget(anywidget.AnyWidget):
    """The stage figure of a trace; `explorer.widget` makes one.

    Attributes:
        pin: the pinned pixel as (panel, row, column), rows and columns from 0; None for none.
            The reader sets it with a click, and a cell with an assignment.
        channel: the channel shown, 0 … C−1.
    """

    _esm = (files("explorer.export") / "joined_widget.js").read_text(encoding="utf-8")
    _css = _styles()
    pin = traitlets.Any(None).tag(sync=True)
    channel: Any = traitlets.TraitType(0).tag(sync=True)
    _last_channel = traitlets.Int().tag(sync=True)
    _window = traitlets.Unicode("").tag(sync=True)  # as PinLink.window
    _plotly = traitlets.Bytes().tag(sync=True)
    _messages = traitlets.Unicode().tag(sync=True)

    def __init__(self, trace: BlockTrace, channel: int, pin: Pin | None) -> None:
        self._trace = trace
        self._panels = tuple(PanelBlock(trace).panels())
        self._shape = trace["x"].shape[:2]
        self._has_means = whole(self._shape).step > 1
        super().__init__(
            pin=pin, channel=channel, _last_channel=channels(trace) - 1, _plotly=packed_plotly()
        )
        self._compose()
        self.observe(self._compose, ["channel", "_window"])
        if self._has_means:  # the pinned pixel's own values come with the messages
            self.observe(self._compose, "pin")

    @traitlets.validate("channel")
    def _check_channel(self, proposal: Any) -> int:
        return check_integer("channel", proposal["value"], 0, channels(self._trace) - 1)

    @traitlets.validate("pin")
    def _check_pin(self, proposal: Any) -> Pin | None:
        value = proposal["value"]
        if value is None:
            return None
        if not isinstance(value, list | tuple) or len(value) != 3:
            raise InputError(
                f'pin must be None or (panel, row, column), such as ("{self._panels[0]}", 0, 0); '
                f"got {describe(value)}."
            )
        rows, cols = self._shape
        return (
            check_choice("The panel of pin", value[0], self._panels),
            check_integer("The row of pin", value[1], 0, rows - 1),
            check_integer("The column of pin", value[2], 0, cols - 1),
        )

    def _compose(self, _: Any = None) -> None:
        """Compose the messages of the channel, in both themes."""
        window = window_of(self._window, self._shape) if self._has_means else None
        messages: dict[str, list[dict[str, Any]]] = {
            theme: [
                stage_message(
                    self._trace,
                    self.channel,
                    theme,
                    pin=PanelPixel(*self.pin) if self.pin else None,
                    window=window,
                    reported_window=self._window if self._has_means else None,
                )
            ]
            for theme in THEMES
        }
        self._messages = packed_messages(messages)
