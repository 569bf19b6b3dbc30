"""What the browser reports of a figure, read with care: it may send anything."""

from explorer.analysis.downsampling import Window


def window_of(text: str, shape: tuple[int, ...]) -> Window | None:
    """Return the rows and columns in view; None for all, or for those of another shape.

    Args:
        text: "top,bottom,left,right,rows,columns", as `PinLink.window`.
        shape: `(H, W)` of x.
    """
    edges = integers(text.split(","))
    if edges is None or len(edges) != 6 or tuple(edges[4:]) != shape:
        return None
    return Window(*edges[:4]).within(shape)


def integers(parts: list[str]) -> list[int] | None:
    """Return the integers, if all parts are integers of one to seven digits."""
    if not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        return None
    return [int(part) for part in parts]
