"""The widget of a trace, for which anywidget is needed."""

from typing import TYPE_CHECKING

from explorer.analysis.colour_limits import check_image
from explorer.records import BlockTrace

if TYPE_CHECKING:
    from explorer.export.stage_widget import Pin, StageWidget

MISSING = (
    "explorer.widget needs the package anywidget, which is not installed; run: "
    "pip install 'residual-block-explorer[notebook]'"
)


def widget(trace: BlockTrace, *, channel: int = 0, pin: "Pin | None" = None) -> "StageWidget":
    """Return the linked stage figure as a widget of notebooks, such as JupyterLab and marimo.

    It shows what the page shows: hover over a pixel to see its values in every stage, click to
    pin it, drag to zoom. `widget.pin` and `widget.channel` can be read, set and observed.

    Args:
        trace: of one picture.
        channel: the channel shown first, 0 … C−1.
        pin: the pixel pinned first, as (panel, row, column) with rows and columns from 0;
            None for none.

    Raises:
        InputError: `trace` is no trace of one picture, or has no such channel or pixel.
        ImportError: anywidget is not installed.
    """
    check_image(trace)
    try:
        from explorer.export.stage_widget import StageWidget
    except ModuleNotFoundError as error:
        if error.name not in ("anywidget", "traitlets"):
            raise
        raise ImportError(MISSING) from None
    return StageWidget(trace, channel, pin)
