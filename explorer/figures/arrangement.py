"""Positions of the stage figure's panels and wires, in pixels of a canvas.

The origin is top left, y points downwards. There are two arrangements of the same
panels: a wide one, drawn like the block in the paper, and a narrow one for small
windows. Both are laid out from a spec's paths. The canvas is scaled to the window but text
is not, so the text at the upper and lower edge lies in margins that are not scaled.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle on the canvas, in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> Point:
        return self.left + self.width / 2, self.top + self.height / 2


@dataclass(frozen=True)
class Wire:
    """A polyline with an arrow head at its last point; `path` determines its colour."""

    path: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Paths:
    """Names of a spec's panels by path.

    `shortcut` is empty without a shortcut; `trunk` holds the sum and the layers after it.
    """

    branch: tuple[str, ...]
    shortcut: tuple[str, ...]
    trunk: tuple[str, ...]


@dataclass(frozen=True)
class Canvas:
    """The size of what is laid out, in pixels."""

    width: float
    height: float


@dataclass(frozen=True)
class Drawing(Canvas):
    """The canvas with a box for every panel, wires and ⊕, which is None without a sum."""

    boxes: dict[str, Box]
    wires: tuple[Wire, ...]
    plus: Point | None


@dataclass(frozen=True)
class Arrangement(Drawing):
    """A drawing with positions of labels.

    `colour_bar` is the bar's lower edge; its labels lie below. `corner` is empty room for the
    values of a pixel. `legend` is the lower left corner of the legend, whose three lines of text
    are not scaled.
    """

    branch_label: Point
    identity_label: Point
    equation: Point | None
    colour_bar: tuple[Point, Point]
    corner: Box | None
    legend: Point

    def moved(self, down: float, width: float, height: float) -> "Arrangement":
        """Return this arrangement, `down` pixels lower, on a canvas of that size."""

        def move(point: Point) -> Point:
            return point[0], point[1] + down

        return replace(
            self,
            width=width,
            height=height,
            boxes={name: replace(box, top=box.top + down) for name, box in self.boxes.items()},
            wires=tuple(Wire(w.path, tuple(move(point) for point in w.points)) for w in self.wires),
            plus=move(self.plus) if self.plus else None,
            branch_label=move(self.branch_label),
            identity_label=move(self.identity_label),
            equation=move(self.equation) if self.equation else None,
            colour_bar=(move(self.colour_bar[0]), move(self.colour_bar[1])),
            corner=replace(self.corner, top=self.corner.top + down) if self.corner else None,
            legend=move(self.legend),
        )


@dataclass(frozen=True)
class Sizes:
    """Sizes of a wide arrangement, in pixels of its canvas.

    `side` is that of a panel, `gap` lies between two; `row_pitch` is from row to row, with captions
    of the upper and titles of the lower one in between. The wire to the branch leaves x at `fork`,
    a part of its width.
    """

    side: float
    gap: float
    row_pitch: float
    bar_length: float
    fork: float = 0.58  # between the title of x and the value of a pixel


PLUS_RADIUS = 13
TITLE = 62  # height of the title and a value above a panel
BAR_HEIGHT, BAR_LABELS = 12, 24
LEGEND_ROOM = 220  # to the right of x, enough for the legend in the narrowest wide window
BETWEEN = 165  # from one block to the next below it
MARGIN = 4
BLOCK = Sizes(side=146, gap=34, row_pitch=292, bar_length=260)
BELOW = 56  # from a panel to the label of a path, past two lines of its caption
CAPTION = 72  # room of a caption's width
CAPTIONS = 60  # height below the lower row
BRANCH_COLUMNS = 5  # of the basic block


def stacked(parts: Sequence[Arrangement]) -> list[Arrangement]:
    """Return arrangements, one below the other, on a common canvas."""
    width = max(part.width for part in parts)
    height = sum(part.height for part in parts) + BETWEEN * (len(parts) - 1)
    tops = [sum(part.height + BETWEEN for part in parts[:n]) for n in range(len(parts))]
    return [part.moved(top, width, height) for part, top in zip(parts, tops, strict=True)]


def wide(
    paths: Paths, shape: tuple[int, int], sizes: Sizes = BLOCK, columns: int = BRANCH_COLUMNS
) -> Arrangement:
    """Lay out panels left to right in two rows: the branch above; x, shortcut and sum below.

    The branch has room for at least `columns` panels.
    """
    columns = max(columns, len(paths.branch))
    side, pitch = sizes.side, sizes.side + sizes.gap
    upper, lower = side / 2, side / 2 + sizes.row_pitch
    end = MARGIN + columns * pitch - sizes.gap
    meeting = end + 30
    after = meeting + PLUS_RADIUS + 28

    def before_sum(names: tuple[str, ...], row: float) -> list[Box]:
        """Return boxes of the last columns before the sum."""
        middles = [end - side / 2 - n * pitch for n in range(len(names))]
        return [fit(shape, side, (middle, row)) for middle in reversed(middles)]

    x = fit(shape, side, (MARGIN + side / 2, lower))
    branch, shortcut = before_sum(paths.branch, upper), before_sum(paths.shortcut, lower)
    spare = max(0, 2 - len(paths.trunk))  # keeps out where it is in the basic block
    trunk = [
        fit(shape, side, (after + side / 2 + (spare + i) * pitch, lower))
        for i in range(len(paths.trunk))
    ]
    shortcut_start = shortcut[0].left if shortcut else end
    fork = x.left + sizes.fork * x.width
    to_branch = (
        ((fork, x.top), (fork, branch[0].bottom))
        if branch[0].left < fork
        else ((fork, x.top), (fork, upper), (branch[0].left, upper))
    )
    wires = [Wire("branch", to_branch), *straight_wires("branch", branch)]
    leaving = ((branch[-1].right, upper), (meeting, upper))
    if shortcut:
        wires += [
            Wire("branch", (*leaving, (meeting, lower - PLUS_RADIUS))),
            *straight_wires("identity", [x, *shortcut]),
            Wire("identity", ((shortcut[-1].right, lower), (meeting - PLUS_RADIUS, lower))),
            Wire("trunk", ((meeting + PLUS_RADIUS, lower), (trunk[0].left, lower))),
        ]
    else:
        wires.append(Wire("branch", (*leaving, (meeting, lower), (trunk[0].left, lower))))
    last = trunk[-1].middle[0] + side / 2
    height = lower + side / 2 + CAPTIONS
    bar = shortcut_start - sizes.bar_length - 40, lower + side / 2 + 12
    legend = x.right + 8, lower + side / 2
    if bar[0] < x.right + LEGEND_ROOM:  # the shortcut has several layers
        height += BAR_LABELS + 12
        bar = MARGIN + 24, height  # half a label lies left of it
        legend = bar[0] + sizes.bar_length + 40, height + BAR_LABELS
    return Arrangement(
        width=last + MARGIN,
        height=height,
        boxes=dict(zip(_names(paths), [x, *branch, *shortcut, *trunk], strict=True)),
        wires=(*wires, *straight_wires("trunk", trunk)),
        plus=(meeting, lower) if shortcut else None,
        branch_label=(x.right + 8, lower - side / 2 - 26),
        identity_label=(x.right + 8, lower - 16),
        equation=(after, -TITLE / 2),
        colour_bar=(bar, (bar[0] + sizes.bar_length, bar[1])),
        corner=Box(after, 0, last - after, sizes.row_pitch - TITLE - 10),
        legend=legend,
    )


def narrow(paths: Paths, shape: tuple[int, int]) -> Arrangement:
    """Lay out panels in rows of three, every other row from right to left.

    x and the branch come first, then the shortcut and the sum.
    """
    side, gap, left = 118, 42, 34
    columns = [left + side / 2 + i * (side + gap) for i in range(3)]
    pitch = side + TITLE + 92

    def centre(index: int, first_row: int = 0) -> Point:
        row, col = divmod(index, 3)
        return columns[2 - col if row % 2 else col], side / 2 + (first_row + row) * pitch

    upper = [fit(shape, side, centre(i)) for i in range(1 + len(paths.branch))]
    rows = -(-len(upper) // 3)
    lower_names = (*paths.shortcut, *paths.trunk)
    spare = 0 if paths.shortcut else 2  # a single last panel is on the right
    lower = [fit(shape, side, centre(i + spare, rows)) for i in range(len(lower_names))]
    shortcut, trunk = lower[: len(paths.shortcut)], lower[len(paths.shortcut) :]
    x, last = upper[0], upper[-1]
    lane, outside, level = 10.0, columns[2] + side / 2 + 18, side / 2 + rows * pitch
    turn = last.middle[1] + side / 2 + BELOW
    wires = _turning_wires("branch", upper, outside, lane + 14)
    leaving = _leaving(last, is_forwards=rows % 2 == 1)
    down = (*leaving, (leaving[-1][0], turn))
    plus = None
    if shortcut:
        plus = (shortcut[-1].middle[0] + (side + gap) / 2, level)
        around = ((x.left, side / 2), (lane, side / 2), (lane, level), (shortcut[0].left, level))
        wires += [
            Wire("branch", (*down, (plus[0], turn), (plus[0], level - PLUS_RADIUS))),
            Wire("identity", around),
            *straight_wires("identity", shortcut),
            Wire("identity", ((shortcut[-1].right, level), (plus[0] - PLUS_RADIUS, level))),
            Wire("trunk", ((plus[0] + PLUS_RADIUS, level), (trunk[0].left, level))),
        ]
    else:
        before = trunk[0].left - gap / 2
        wires.append(
            Wire("branch", (*down, (before, turn), (before, level), (trunk[0].left, level)))
        )
    wires += _turning_wires("trunk", trunk, outside, lane)
    beside = (max(last.right, plus[0]) + 10, turn) if plus else (last.right + 10, turn - 10)
    if last.middle[0] == columns[2]:  # no space beside the wire that leaves there
        beside = columns[2] - side / 2 - 68, turn - 10
    bottom = lower[-1].middle[1] + side / 2
    return Arrangement(
        width=outside + 4,
        height=bottom + 208,
        boxes=dict(zip(_names(paths), [*upper, *lower], strict=True)),
        wires=tuple(wires),
        plus=plus,
        branch_label=beside,
        identity_label=(lane + 12, turn - 32 if rows == 1 else side + BELOW),
        equation=None,
        corner=None,
        colour_bar=((left, bottom + 208), (columns[2] + side / 2 - 14, bottom + 208)),
        legend=(left, bottom + 150),
    )


def _leaving(last: Box, *, is_forwards: bool) -> tuple[Point, ...]:
    """Return the beginning of the wire down from a panel, which goes around its caption."""
    if last.width >= CAPTION:
        return ((last.right - 8, last.bottom),)
    middle = last.middle[1]
    if is_forwards:
        return (last.right, middle), (last.left + CAPTION, middle)
    return (last.left, middle), (last.left - 14, middle)


def _names(paths: Paths) -> tuple[str, ...]:
    return ("x", *paths.branch, *paths.shortcut, *paths.trunk)


def fit(shape: tuple[int, int], side: float, middle: Point) -> Box:
    """Return the box of a map `(H, W)`: its longer side is `side`, at most 4 times the other."""
    height, width = shape
    ratio = min(max(height / width, 0.25), 4)
    wide, high = (side, side * ratio) if ratio <= 1 else (side / ratio, side)
    return Box(middle[0] - wide / 2, middle[1] - high / 2, wide, high)


def straight_wires(path: str, boxes: Sequence[Box]) -> list[Wire]:
    """Return straight wires from each box to the next on its right."""
    return [
        Wire(path, ((one.right, one.middle[1]), (two.left, two.middle[1])))
        for one, two in pairwise(boxes)
    ]


def _turning_wires(path: str, boxes: Sequence[Box], right: float, left: float) -> list[Wire]:
    """Return wires from each box to the next, along a row or around its end."""
    wires = []
    for one, two in pairwise(boxes):
        (x, y), (x2, y2) = one.middle, two.middle
        if y == y2 and x < x2:
            wires.append(Wire(path, ((one.right, y), (two.left, y))))
        elif y == y2:
            wires.append(Wire(path, ((one.left, y), (two.right, y))))
        elif x > (left + right) / 2:
            wires.append(Wire(path, ((one.right, y), (right, y), (right, y2), (two.right, y2))))
        else:
            wires.append(Wire(path, ((one.left, y), (left, y), (left, y2), (two.left, y2))))
    return wires
