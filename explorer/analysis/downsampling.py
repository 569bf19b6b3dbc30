"""Block means and marks, which reduce a map of any size to about the resolution of a panel."""

from dataclasses import dataclass

import numpy as np

from explorer.errors import InputError, check_array, check_integer

MAX_PANEL_SIDE = 144  # cells; a panel is about 100 to 200 pixels wide
MAX_MARKS = 40  # per panel
MAX_POSITION = 2**31 - 1  # of an edge of a window


@dataclass(frozen=True)
class Window:
    """The pixels `top ≤ row < bottom`, `left ≤ col < right` of a map."""

    top: int
    bottom: int
    left: int
    right: int

    def __post_init__(self) -> None:
        for name in ("top", "bottom", "left", "right"):
            value = check_integer(name, getattr(self, name), -MAX_POSITION, MAX_POSITION)
            object.__setattr__(self, name, value)

    @property
    def step(self) -> int:
        """The smallest n for which n×n block means of the window fit a panel."""
        return -(-max(self.bottom - self.top, self.right - self.left) // MAX_PANEL_SIDE)

    def crop(self, values: np.ndarray) -> np.ndarray:
        """Return the part of `values` `(H, W)` inside the window, a view."""
        return values[self.top : self.bottom, self.left : self.right]

    def within(self, shape: tuple[int, ...]) -> "Window":
        """Return this window clipped to a map `(H, W)`; the whole map if nothing is left."""
        top, left = max(self.top, 0), max(self.left, 0)
        bottom, right = min(self.bottom, shape[0]), min(self.right, shape[1])
        if top >= bottom or left >= right:
            return whole(shape)
        return Window(top, bottom, left, right)


def whole(shape: tuple[int, ...]) -> Window:
    """Return the window of all pixels of a map `(H, W)`."""
    return Window(0, shape[0], 0, shape[1])


def block_means(values: np.ndarray, step: int) -> np.ndarray:
    """Return means of `values` `(H, W)` or `(H, W, C)` over blocks of step×step pixels.

    Returns:
        `(⌈H/step⌉, ⌈W/step⌉, …)` float32; blocks at the lower and right edges are
        smaller. With step 1 the values are returned unchanged.
    """
    values = check_array("values", values, 2, 3)
    step = check_integer("step", step, 1, None)
    if step == 1:
        return values
    (height, width), rest = values.shape[:2], values.shape[2:]
    down, right = min(step, height), min(step, width)  # sides of a block
    rows, cols = (np.diff([*range(0, side, step), side]) for side in (height, width))
    if height % down or width % right:
        padding = [(0, -height % down), (0, -width % right)]
        values = np.pad(values, padding + [(0, 0) for _ in rest])
    with np.errstate(invalid="ignore"):  # a block with +Inf and −Inf has no mean: NaN
        strips = values.reshape(rows.size, down, -1, *rest).sum(axis=1, dtype=np.float64)
        sums = strips.reshape(rows.size, cols.size, right, *rest).sum(axis=2)
    counts = np.outer(rows, cols).reshape(rows.size, cols.size, *(1 for _ in rest))
    return (sums / counts).astype(np.float32)


def select_marks(values: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of the cells to mark, at most `MAX_MARKS` of those that are lost.

    `lost` `(H, W)` is True for cells that are not finite, which a heatmap leaves empty, and
    for cells beyond the limit that block means would hide. Cells that are not finite come
    first, evenly spread over the map if there are too many, then the largest absolute values.
    """
    values, lost = check_array("values", values, 2), check_array("lost", lost, 2).astype(bool)
    if values.shape != lost.shape:
        raise InputError(f"lost must have the shape of values, {values.shape}; got {lost.shape}.")
    chosen = np.flatnonzero(lost)
    if chosen.size > MAX_MARKS:
        not_finite = lost & ~np.isfinite(values)
        if np.count_nonzero(not_finite) > MAX_MARKS:
            chosen = _spread(not_finite)
        else:
            size = np.nan_to_num(np.abs(values.ravel()[chosen]), nan=np.inf)
            chosen = chosen[np.argpartition(size, -MAX_MARKS)[-MAX_MARKS:]]
    rows, cols = np.unravel_index(np.sort(chosen), values.shape)
    return rows, cols


def _spread(wanted: np.ndarray) -> np.ndarray:
    """Return flat indices of `MAX_MARKS` cells among those that are True in `wanted` `(H, W)`.

    The map is divided into at most `MAX_MARKS` parts of similar height and width. Of each part
    the cell nearest to its centre is taken, and the rest evenly from all others in row order.
    """
    height, width = wanted.shape
    down = int(np.clip(round((MAX_MARKS * height / width) ** 0.5), 1, min(height, MAX_MARKS)))
    across = min(width, MAX_MARKS // down)
    nearest = []
    for rows in np.array_split(np.arange(height), down):
        for cols in np.array_split(np.arange(width), across):
            part = np.argwhere(wanted[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1])
            if part.size:
                centre = (rows.size - 1) / 2, (cols.size - 1) / 2
                row, col = part[np.argmin(((part - centre) ** 2).sum(axis=1))]
                nearest.append((rows[0] + row) * width + cols[0] + col)
    others = np.setdiff1d(np.flatnonzero(wanted), nearest)
    missing = MAX_MARKS - len(nearest)
    evenly = others[np.linspace(0, others.size - 1, missing).astype(int)]
    return np.concatenate([np.array(nearest, int), evenly])
