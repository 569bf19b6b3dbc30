"""Positions in the network figure: the residual stream in rows, with a loop for every block.

The origin is top left, y points downwards. The first row runs from left to right, the next
from right to left, and so on, so that the stream is one line from the stem to the head. The
canvas is scaled to the window but text is not: the space for text is a quarter larger than the
text, for a canvas that is drawn at 0.8 of its size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from explorer.figures.arrangement import Box, Canvas, Point, fit

VALUE = 28  # above a thumbnail, for the value at the pixel that is pointed at
NAME = 34  # between F(x) and the stream, inside the loop
BAR, BAR_GAP = 6, 7
LINE = 18  # of the numbers under a block
BELOW = 6  # from a row to the next
TURN = 34  # at both ends of rows, where the stream turns
HEAD = 86  # space for the head behind a single row
LARGEST = 250  # from one place to the next
BOX_WIDTH, BOX_HEIGHT = 44, 20  # of stem and head
SHORTCUT = 18  # height of the layers on the stream
COLOUR_BAR = 56  # at the bottom


@dataclass(frozen=True)
class BlockPlace:
    """Positions of one block.

    Attributes:
        step: 1 in a row from left to right, −1 in the others.
        fork: where the loop leaves the stream.
        plus: where it meets the stream again.
        residual: the thumbnail of F(x).
        stream: the thumbnail of the stream after the block.
        name: the middle of its name.
        shortcut: where the layers of a shortcut interrupt the stream.
        bar: the whole length of the bar.
        numbers: the upper left corner of the numbers.
    """

    step: int
    fork: Point
    plus: Point
    residual: Box
    stream: Box
    name: Point
    shortcut: Box
    bar: Box
    numbers: Point

    @property
    def rise(self) -> tuple[Point, ...]:
        """The first half of the loop, from the stream to F(x)."""
        near = self.residual.left if self.step > 0 else self.residual.right
        level = self.residual.middle[1]
        return (self.fork, (self.fork[0], level), (near, level))

    @property
    def fall(self) -> tuple[Point, ...]:
        """The second half of the loop, from F(x) to the centre of ⊕."""
        far = self.residual.right if self.step > 0 else self.residual.left
        level = self.residual.middle[1]
        return ((far, level), (self.plus[0], level), self.plus)


@dataclass(frozen=True)
class NetworkArrangement(Canvas):
    """The canvas with positions of stem, blocks, head and colour bar.

    Attributes:
        stem, head: their boxes on the stream.
        stem_stream: the thumbnail of the stream after the stem.
        blocks: in order.
        links: from the stem to the first block, from each to the next, and to the head; each
            turns where a row ends.
        taps: from the stream to each of its thumbnails.
        radius: of ⊕.
        colour_bar: its lower edge.
    """

    stem: Box
    head: Box
    stem_stream: Box
    blocks: tuple[BlockPlace, ...]
    links: tuple[tuple[Point, ...], ...]
    taps: tuple[tuple[Point, ...], ...]
    radius: float
    colour_bar: tuple[Point, Point]

    @property
    def stream(self) -> tuple[Point, ...]:
        """The residual stream, from the stem to the head, as one line."""
        corners = chain.from_iterable(link[1:-1] for link in self.links)
        return (self.links[0][0], *corners, self.links[-1][-1])


def arrange_network(
    blocks: int, shape: tuple[int, int], *, width: float, most: int, lines: int
) -> NetworkArrangement:
    """Lay out stem, blocks and head in rows of equal length.

    Args:
        blocks: their number.
        shape: `(H, W)` of the thumbnails.
        width: of the canvas.
        most: the largest number of places in a row; stem and head take one each.
        lines: of the numbers under a block.
    """
    rows = -(-(blocks + 2) // most)
    columns = -(-(blocks + 2) // rows) if rows > 1 else blocks + 1
    at_ends = TURN if rows > 1 else HEAD / 2
    pitch = min((width - 2 * at_ends) / columns, LARGEST)
    left = (width - columns * pitch) / 2 - (at_ends if rows == 1 else 0)
    thumbnail = fit(shape, 0.6 * pitch, (0, 0))
    high = thumbnail.height
    row_height = 2 * (VALUE + high) + NAME + BAR_GAP + BAR + LINE * lines + BELOW

    def place(index: int) -> tuple[int, float, float]:
        """Return the direction of a place, its middle, and the level of the stream there."""
        row, at = divmod(index, columns) if rows > 1 else (0, index)
        step = -1 if row % 2 else 1
        column = columns - 1 - at if step < 0 else at
        above = VALUE + high + NAME
        if index > blocks and at == 0:  # the head has a row of its own, with nothing above it
            above = BOX_HEIGHT
        return step, left + (column + 0.5) * pitch, row * row_height + above

    def below(index: int) -> Box:
        """Return the thumbnail under the stream at a place."""
        step, middle, level = place(index)
        centre = middle - step * 0.05 * pitch
        return replace(thumbnail, left=centre - thumbnail.width / 2, top=level + VALUE)

    found = [_block(*place(n), below(n), pitch) for n in range(1, blocks + 1)]
    step, middle, level = place(blocks + 1)
    near = middle - step * (0.3 * pitch if rows > 1 else pitch / 2 - 24)
    head = _box_on(near + step * BOX_WIDTH / 2, level, BOX_WIDTH, BOX_HEIGHT)
    stem = _box_on(place(0)[1] - 0.05 * pitch, place(0)[2], BOX_WIDTH, BOX_HEIGHT)
    stations: list[tuple[Point, Point]] = [
        ((stem.right, stem.middle[1]),) * 2,
        *((block.fork, block.plus) for block in found),
        ((near, level),) * 2,
    ]
    links = tuple(_link(one[1], two[0], width) for one, two in pairwise(stations))
    last_row = max(found[-1].bar.bottom + LINE * lines, head.bottom)
    height = last_row + COLOUR_BAR
    return NetworkArrangement(
        width=width,
        height=height,
        stem=stem,
        head=head,
        stem_stream=below(0),
        blocks=tuple(found),
        links=links,
        taps=tuple(_tap(*place(n), below(n), pitch) for n in range(blocks + 1)),
        radius=min(13.0, 0.085 * pitch),
        colour_bar=((max(width - 340, 16), height), (width - 20, height)),
    )


def _block(step: int, middle: float, level: float, stream: Box, pitch: float) -> BlockPlace:
    """Return the positions of the block whose place has this direction, middle and level."""
    bar = Box(stream.left, stream.bottom + BAR_GAP, stream.width, BAR)
    return BlockPlace(
        step=step,
        fork=(middle - step * 0.44 * pitch, level),
        plus=(middle + step * 0.34 * pitch, level),
        residual=replace(stream, top=level - NAME - stream.height),
        stream=stream,
        name=(stream.middle[0], level - NAME / 2 - 1),
        shortcut=_box_on(stream.middle[0], level, 0.6 * pitch, SHORTCUT),
        bar=bar,
        numbers=(bar.left, bar.bottom + 1),
    )


def _box_on(middle: float, level: float, width: float, height: float) -> Box:
    """Return a box on the stream."""
    return Box(middle - width / 2, level - height / 2, width, height)


def _link(start: Point, end: Point, width: float) -> tuple[Point, ...]:
    """Return the way along a row, or around its end on the side that is nearer."""
    if start[1] == end[1]:
        return (start, end)
    lane = width - 8.0 if start[0] > width / 2 else 8.0
    return (start, (lane, start[1]), (lane, end[1]), end)


def _tap(step: int, middle: float, level: float, thumbnail: Box, pitch: float) -> tuple[Point, ...]:
    """Return the way from the stream behind a place down to the thumbnail."""
    x, side = middle + step * 0.47 * pitch, thumbnail.right if step > 0 else thumbnail.left
    return ((x, level), (x, thumbnail.middle[1]), (side, thumbnail.middle[1]))


def all_boxes(arranged: NetworkArrangement) -> Sequence[Box]:
    """Return every thumbnail: the stem's, then F(x) and the stream of each block."""
    pairs = ((block.residual, block.stream) for block in arranged.blocks)
    return [arranged.stem_stream, *chain.from_iterable(pairs)]
