"""Positions of a block and a variant of it in one figure, in pixels of a canvas.

The variant has the usual arrangement, but for its `out`, which stands large beside that of the
reference. The reference is one row of small panels. See `arrangement` for the canvas.
"""

from dataclasses import dataclass, replace

from explorer.figures.arrangement import (
    BAR_LABELS,
    BELOW,
    BRANCH_COLUMNS,
    MARGIN,
    PLUS_RADIUS,
    TITLE,
    Arrangement,
    Box,
    Drawing,
    Paths,
    Point,
    Sizes,
    Wire,
    fit,
    narrow,
    straight_wires,
    wide,
)

HEADING = 24  # height of a line above a block's titles
NAME = 28  # height of the name and a value above a small panel
# Sizes on a canvas of this width, which has room for five layers. On a wider one, as it is scaled
# down, all but the panels of the variant are larger.
WIDTH = 1240
VARIANT = Sizes(side=100, gap=24, row_pitch=200, bar_length=280, fork=0.5)
DIFFERENCE = Sizes(side=136, gap=34, row_pitch=282, bar_length=330)
LEGEND_SPACE = 14  # between captions and the legend
SMALL, OUT, BETWEEN_OUTS, LANE = 64, 200, 22, 30
WIDE_TEXT, NARROW_TEXT = 0.8, 0.7  # the smallest scales at which texts between panels have room
NARROW_SMALL, NARROW_OUT, NARROW_COLUMNS = 84, 212, 4


@dataclass(frozen=True)
class Comparison:
    """The drawings of the reference and of the variant, on one canvas.

    `headings` are the lower left corners of the headings of both.
    """

    reference: Drawing
    variant: Arrangement
    headings: tuple[Point, Point]


def wide_comparison(
    reference: Paths, variant: Paths, shape: tuple[int, int], shown: frozenset[str]
) -> Comparison:
    """Lay out the reference's row, the variant's two rows below it, and both `out` at the right.

    The reference's row has a place for each of its stages, whether or not it is `shown`.
    """
    columns = max(BRANCH_COLUMNS, len(_before_sum(reference)), len(variant.branch))
    start = wide(variant, shape, VARIANT, columns).boxes["out"].middle[0] - VARIANT.side / 2
    rest = 2 * OUT + BETWEEN_OUTS + LANE + MARGIN
    scale = max(1, start / (WIDTH - rest))
    width, text = start + rest * scale, scale / WIDE_TEXT
    small = min(SMALL * scale, VARIANT.side - 28)  # x stands before the first
    out, lane = OUT * scale, small + 12
    top = lane + (HEADING + TITLE) * text
    outs_top = small / 2 + (TITLE + 4) * text
    outs = [
        fit(shape, out, (start + out / 2 + n * (out + BETWEEN_OUTS * scale), outs_top + out / 2))
        for n in range(2)
    ]
    # In a small panel, the title of x takes more of its width.
    fork = VARIANT.fork if scale == 1 else 0.74
    sizes = replace(VARIANT, row_pitch=VARIANT.side + (TITLE + 18) * text, fork=fork)
    block = wide(variant, shape, sizes, columns)
    block = block.moved(top, width, top + block.height + LEGEND_SPACE)
    below = outs_top + out + 26 * text
    (bar_left, _), (bar_right, _) = block.colour_bar
    block = replace(
        block,
        colour_bar=((bar_left, block.height), (bar_right, block.height)),
        legend=(bar_right + 40, block.height + BAR_LABELS),
        boxes=block.boxes | {"out": outs[0]},
        wires=(*block.wires[:-1], _to_out(block.wires[-1], outs[0], start - VARIANT.gap / 2)),
        corner=Box(start, below, width - start - LANE, block.height - below),
    )
    row = _row(reference, shape, Box(0, 0, width, block.height), small, columns, outs[1])
    return Comparison(row, block, ((MARGIN, 0), (MARGIN, top - TITLE * text)))


def _to_out(last: Wire, out: Box, turn: float) -> Wire:
    """Return the last wire of a block, led to a large panel of `out`; it may turn at `turn`."""
    start, level = last.points[0], out.middle[1]
    if last.path == "branch":  # no sum: straight from F(x)
        return Wire("branch", (start, (out.left, start[1])))
    return Wire("trunk", (start, (turn, start[1]), (turn, level), (out.left, level)))


def _row(
    paths: Paths, shape: tuple[int, int], canvas: Box, side: float, columns: int, out: Box
) -> Drawing:
    """Lay out a block in one row of small panels, in the columns of the block below."""
    pitch, level, lane = VARIANT.side + VARIANT.gap, side / 2, side + 12
    end = MARGIN + columns * pitch - VARIANT.gap
    meeting, after, right = end + 30, end + 30 + PLUS_RADIUS + 28, canvas.right - 10
    names, trunk_names = _before_sum(paths), paths.trunk[:-1]
    places = [end - side / 2 - n * pitch for n in reversed(range(len(names)))]
    before = [fit(shape, side, (place, level)) for place in places]
    trunk = [
        fit(shape, side, (after + side / 2 + n * pitch, level)) for n in range(len(trunk_names))
    ]
    branch, shortcut = before[: len(paths.branch)], before[len(paths.branch) :]
    source = MARGIN + 10  # right of the letter x
    wires = [
        Wire("branch", ((source, level), (branch[0].left, level))),
        *straight_wires("branch", branch),
    ]
    last = trunk[-1].right if trunk else branch[-1].right
    if paths.shortcut:
        into = (meeting, level + PLUS_RADIUS)
        branch_end: tuple[Point, ...] = (
            (branch[-1].right, level),
            (meeting - PLUS_RADIUS, level),
        )
        identity: tuple[Point, ...] = ((meeting, lane), into)
        if shortcut:
            entry = shortcut[0].middle[0]
            identity = ((entry, lane), (entry, shortcut[0].bottom))
            below, leaving = lane + 9, branch[-1].middle[0]
            branch_end = ((leaving, branch[-1].bottom), (leaving, below), (meeting, below), into)
            wires += [
                *straight_wires("identity", shortcut),
                Wire("identity", ((shortcut[-1].right, level), (meeting - PLUS_RADIUS, level))),
            ]
        wires += [
            Wire("branch", branch_end),
            Wire("identity", ((source - 6, level + 10), (source - 6, lane), *identity)),
            Wire("trunk", ((meeting + PLUS_RADIUS, level), (trunk[0].left, level))),
        ]
    elif trunk:
        wires.append(Wire("branch", ((branch[-1].right, level), (trunk[0].left, level))))
    middle = out.middle[1]
    around = ((last, level), (right, level), (right, middle), (out.right, middle))
    return Drawing(
        width=canvas.width,
        height=canvas.height,
        boxes=dict(zip((*names, *trunk_names, "out"), (*before, *trunk, out), strict=True)),
        wires=(*wires, *straight_wires("trunk", trunk), Wire("trunk", around)),
        plus=(meeting, level) if paths.shortcut else None,
    )


def narrow_comparison(
    reference: Paths, variant: Paths, shape: tuple[int, int], shown: frozenset[str]
) -> Comparison:
    """Lay out both `out` side by side, below them the `shown` panels of the reference, then the
    variant in rows of three.
    """
    block = _without_out(narrow(variant, shape))
    left, lane = 18.0, block.width + 4
    side = NARROW_OUT
    outs = [fit(shape, side, (left + side / 2 + n * (side + 26), side / 2)) for n in range(2)]
    lines = 2 * HEADING / NARROW_TEXT
    first = side + 24 / NARROW_TEXT + lines
    names = [name for name in (*_before_sum(reference), *reference.trunk[:-1]) if name in shown]
    pitch, height = NARROW_SMALL + 38, NARROW_SMALL + (NAME + 10) / NARROW_TEXT
    boxes = {}
    for index, name in enumerate(names):
        line, column = divmod(index, NARROW_COLUMNS)
        centre = left + column * pitch, first + (line + 1) * height
        boxes[name] = fit(
            shape, NARROW_SMALL, (centre[0] + NARROW_SMALL / 2, centre[1] - NARROW_SMALL / 2)
        )
    second = first + -(-len(names) // NARROW_COLUMNS) * height + 16 + lines
    top = second + TITLE / NARROW_TEXT
    block = block.moved(top, lane + 8, top + block.height)
    end, into = block.wires[-1].points[-1], outs[1].middle[1]
    wire = Wire(
        block.wires[-1].path,
        (*block.wires[-1].points[:-1], (lane, end[1]), (lane, into), (outs[1].right, into)),
    )
    block = replace(block, boxes=block.boxes | {"out": outs[1]}, wires=(*block.wires[:-1], wire))
    row = Drawing(block.width, block.height, boxes | {"out": outs[0]}, (), None)
    return Comparison(row, block, ((left, first), (left, second)))


def _without_out(block: Arrangement) -> Arrangement:
    """Return a narrow arrangement without its last panel, and its last wire led to the right."""
    out = block.boxes["out"]
    boxes = {name: box for name, box in block.boxes.items() if name != "out"}
    last, end = block.wires[-1], out.middle[1]
    points, lowest = last.points, max(box.bottom for box in boxes.values())
    if last.path == "branch":  # down from F(x), then to the right
        points, lowest = (*points[:2], points[1]), lowest + BELOW
    elif points[0][1] == end and points[0][0] > out.left:  # the row runs to the left
        start = next(box for box in boxes.values() if box.left == points[0][0])
        under = start.bottom + BELOW / 2
        points = ((start.middle[0], start.bottom), (start.middle[0], under), (0.0, under))
    else:
        points = (points[0], points[0])
    up = max(0.0, out.bottom - lowest)
    (bar_left, bar_right) = block.colour_bar
    return replace(
        block,
        boxes=boxes,
        wires=(*block.wires[:-1], Wire(last.path, points)),
        height=block.height - up,
        colour_bar=((bar_left[0], bar_left[1] - up), (bar_right[0], bar_right[1] - up)),
        legend=(block.legend[0], block.legend[1] - up),
    )


def _before_sum(paths: Paths) -> tuple[str, ...]:
    """Return the panels of branch and shortcut, without that of the identity, which is x."""
    return (*paths.branch, *(name for name in paths.shortcut if name != "identity"))
