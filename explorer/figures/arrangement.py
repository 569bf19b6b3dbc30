"""Where the panels and wires of the stage figure lie, in pixels of a canvas.

Origin top left, y downwards. Two arrangements of the same panels: a wide one
that reads like the drawing in the paper, and a narrow one for small windows.
The canvas is scaled to the window while text keeps its size, so the text at its
upper and lower edge lies in margins that are not scaled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
    """A polyline with an arrow head at its last point; `path` names its colour."""

    path: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Arrangement:
    """The canvas: size, a box for every panel, wires, ⊕ and where free text goes.

    `colour_bar` is its lower edge; its labels lie beneath, in the margin.
    """

    width: float
    height: float
    boxes: dict[str, Box]
    wires: tuple[Wire, ...]
    plus: Point
    branch_label: Point
    identity_label: Point
    equation: Point | None
    colour_bar: tuple[Point, Point]


BRANCH = ("conv1", "bn1", "relu1", "conv2", "bn2")
PLUS_RADIUS = 13
TITLE = 40  # height above a panel that its title takes
BAR_HEIGHT, BAR_LABELS = 12, 24


def wide(shape: tuple[int, int]) -> Arrangement:
    """Left to right: the branch over the top, the identity underneath, ⊕, add, out."""
    big, small, gap, margin = 142, 116, 26, 4
    branch_row, trunk_row, identity_row = small / 2, 222, 384
    x = _fit(shape, big, (margin + big / 2, trunk_row))
    fork, first = margin + big + 20, margin + big + 46
    branch = [
        _fit(shape, small, (first + small / 2 + i * (small + gap), branch_row))
        for i in range(len(BRANCH))
    ]
    end = first + len(BRANCH) * (small + gap) - gap
    identity = _fit(shape, small, (end - small / 2, identity_row))
    plus = (end + 32, trunk_row)
    after = plus[0] + PLUS_RADIUS + 28
    add = _fit(shape, big, (after + big / 2, trunk_row))
    out = _fit(shape, big, (after + big + 46 + big / 2, trunk_row))
    boxes = {"x": x, **dict(zip(BRANCH, branch, strict=True))}
    boxes |= {"identity": identity, "add": add, "out": out}
    above, below = (plus[0], plus[1] - PLUS_RADIUS), (plus[0], plus[1] + PLUS_RADIUS)
    wires = (
        Wire("trunk", ((x.right, trunk_row), (fork, trunk_row))),
        Wire("branch", ((fork, trunk_row), (fork, branch_row), (branch[0].left, branch_row))),
        *_chain("branch", branch),
        Wire("branch", ((branch[-1].right, branch_row), (plus[0], branch_row), above)),
        Wire("identity", ((fork, trunk_row), (fork, identity_row), (identity.left, identity_row))),
        Wire("identity", ((identity.right, identity_row), (plus[0], identity_row), below)),
        Wire("trunk", ((plus[0] + PLUS_RADIUS, trunk_row), (add.left, trunk_row))),
        *_chain("trunk", [add, out]),
    )
    middle, height = (fork + plus[0]) / 2, identity_row + small / 2
    return Arrangement(
        width=after + 2 * big + 46 + margin,
        height=height,
        boxes=boxes,
        wires=wires,
        plus=plus,
        branch_label=(fork + 14, branch_row + small / 2 + 54),
        identity_label=(fork + 14, identity_row - 16),
        equation=(middle, trunk_row),
        colour_bar=((after, height), (after + 2 * big + 30, height)),
    )


def narrow(shape: tuple[int, int]) -> Arrangement:
    """Three rows that turn like a page's lines: x conv1 bn1, back to bn2, then the sum."""
    side, gap, left = 118, 42, 34
    columns = [left + side / 2 + i * (side + gap) for i in range(3)]
    rows = [side / 2 + i * (side + TITLE + 50) for i in range(3)]
    places = {
        **{"x": (0, 0), "conv1": (1, 0), "bn1": (2, 0), "relu1": (2, 1), "conv2": (1, 1)},
        **{"bn2": (0, 1), "identity": (0, 2), "add": (1, 2), "out": (2, 2)},
    }
    boxes = {n: _fit(shape, side, (columns[c], rows[r])) for n, (c, r) in places.items()}
    x, bn1, relu1, bn2 = (boxes[name] for name in ("x", "bn1", "relu1", "bn2"))
    identity, add, out = (boxes[name] for name in ("identity", "add", "out"))
    plus = (columns[0] + (side + gap) / 2, rows[2])
    lane, turn = 10.0, rows[1] + side / 2 + 34
    above, outside = (plus[0], plus[1] - PLUS_RADIUS), columns[2] + side / 2 + 18
    wires = (
        *_chain("branch", [x, boxes["conv1"], bn1]),
        Wire(
            "branch",
            ((bn1.right, rows[0]), (outside, rows[0]), (outside, rows[1]), (relu1.right, rows[1])),
        ),
        Wire("branch", ((relu1.left, rows[1]), (boxes["conv2"].right, rows[1]))),
        Wire("branch", ((boxes["conv2"].left, rows[1]), (bn2.right, rows[1]))),
        Wire(
            "branch",
            ((bn2.right - 8, bn2.bottom), (bn2.right - 8, turn), (plus[0], turn), above),
        ),
        Wire(
            "identity",
            ((x.left, rows[0]), (lane, rows[0]), (lane, rows[2]), (identity.left, rows[2])),
        ),
        Wire("identity", ((identity.right, rows[2]), (plus[0] - PLUS_RADIUS, rows[2]))),
        Wire("trunk", ((plus[0] + PLUS_RADIUS, rows[2]), (add.left, rows[2]))),
        *_chain("trunk", [add, out]),
    )
    bottom = rows[2] + side / 2
    return Arrangement(
        width=outside + 4,
        height=bottom + 116,
        boxes=boxes,
        wires=wires,
        plus=plus,
        branch_label=(columns[1] - side / 2, turn),
        identity_label=(lane + 12, rows[0] + side / 2 + 34),
        equation=None,
        colour_bar=((left, bottom + 116), (columns[2] + side / 2 - 14, bottom + 116)),
    )


def _fit(shape: tuple[int, int], side: float, middle: Point) -> Box:
    """The box of a picture `(H, W)` whose longer side is `side`; at most 4 times longer."""
    height, width = shape
    ratio = min(max(height / width, 0.25), 4)
    wide, high = (side, side * ratio) if ratio <= 1 else (side / ratio, side)
    return Box(middle[0] - wide / 2, middle[1] - high / 2, wide, high)


def _chain(path: str, boxes: Sequence[Box]) -> list[Wire]:
    """Straight wires from each box to the next on its right."""
    return [
        Wire(path, ((one.right, one.middle[1]), (two.left, two.middle[1])))
        for one, two in pairwise(boxes)
    ]
