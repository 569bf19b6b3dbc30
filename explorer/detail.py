"""Level of detail: a picture of any size as about the cells that a panel has pixels for."""

from dataclasses import dataclass

import numpy as np

MAX_PANEL_SIDE = 144  # cells; a panel is about 100 to 200 pixels wide
MAX_MARKS = 40  # per panel


@dataclass(frozen=True)
class Window:
    """The pixels `top ≤ row < bottom`, `left ≤ col < right` of a picture."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def step(self) -> int:
        """The least n for which n×n block means of the window fit a panel."""
        return -(-max(self.bottom - self.top, self.right - self.left) // MAX_PANEL_SIDE)

    def within(self, shape: tuple[int, ...]) -> "Window":
        """This window cut to a picture `(H, W)`; the whole picture if nothing is left."""
        top, left = max(self.top, 0), max(self.left, 0)
        bottom, right = min(self.bottom, shape[0]), min(self.right, shape[1])
        if top >= bottom or left >= right:
            return whole(shape)
        return Window(top, bottom, left, right)


def whole(shape: tuple[int, ...]) -> Window:
    """The window that is all of a picture `(H, W)`."""
    return Window(0, shape[0], 0, shape[1])


def block_means(values: np.ndarray, window: Window) -> np.ndarray:
    """`values` `(H, W)` inside `window`, as means over n×n blocks with n = `window.step`.

    Returns:
        `(⌈h/n⌉, ⌈w/n⌉)` float32; blocks at the lower and right edges are smaller.
        Where n is 1 the values are as they were.
    """
    cut = values[window.top : window.bottom, window.left : window.right]
    step = window.step
    if step == 1:
        return cut
    starts = [np.arange(0, side, step) for side in cut.shape]
    sums = np.add.reduceat(np.add.reduceat(cut, starts[0], axis=0), starts[1], axis=1)
    counts = [np.diff([*start, side]) for start, side in zip(starts, cut.shape, strict=True)]
    return (sums / np.outer(*counts)).astype(np.float32)


def marked_cells(values: np.ndarray, limit: float, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of cells that need a mark of their own, at most `MAX_MARKS`.

    Those are the cells that are not finite, which a heatmap leaves empty, and,
    where block means would hide them, the ones furthest beyond ±`limit`.
    """
    cut = values[window.top : window.bottom, window.left : window.right]
    size = np.where(np.isfinite(cut), np.abs(cut), np.inf)
    chosen = np.flatnonzero(size > limit if window.step > 1 else np.isinf(size))
    if chosen.size > MAX_MARKS:
        largest = np.argpartition(size.ravel()[chosen], -MAX_MARKS)[-MAX_MARKS:]
        chosen = chosen[largest]
    rows, cols = np.unravel_index(np.sort(chosen), cut.shape)
    return rows + window.top, cols + window.left
