"""Positions in the network figure: the residual stream in rows, with a loop for every block.

The origin is top left, y points downwards. The first row runs from left to right, the next
from right to left, and so on, so that the stream is one line from the stem to the head. The
canvas is scaled to the window but text is not: the space for text is a quarter larger than the
text, for a canvas that is drawn at 0.8 of its size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from explorer.figures.arrangement import Box, Canvas, Point, fit

VALUE = 28  # above a thumbnail, for the value at the pixel that is pointed at
NAME = 34  # between F(x) and the stream, inside the loop
BAR, BAR_GAP = 6, 7
LINE = 18  # of the numbers under a block
BELOW = 6  # from a row to the next
TURN = 34  # at both ends of rows, where the stream turns
LANE = 8  # from the outer edge of that to the stream
HEAD = 86  # space for the head behind a single row
BOX_WIDTH, BOX_HEIGHT = 44, 20  # of stem and head
SHORTCUT = 18  # height of the layers on the stream
COLOUR_BAR = 56  # at the bottom
HEADING = 16  # above a row that a stage begins


@dataclass(frozen=True)
class Row:
    """The places of a row, stem and head included, and whether a heading is above it."""

    places: int
    has_heading: bool = False


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
        heading: where the heading of a row that begins here begins; it runs in the row's direction.
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
    heading: Point

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


def equal_rows(places: int, most: int, *, has_heading: bool = False) -> list[Row]:
    """Return rows of at most so many places, as equal as possible.

    Args:
        places: those of all rows.
        most: the largest number in a row.
        has_heading: whether a heading is above the first.
    """
    count = -(-places // most)
    each = -(-places // count)
    last = places - each * (count - 1)
    return [Row(n, has_heading and not at) for at, n in enumerate([each] * (count - 1) + [last])]


def arrange_network(
    rows: Sequence[Row], shape: tuple[int, int], *, width: float, largest: float, lines: int
) -> NetworkArrangement:
    """Lay out stem, blocks and head in rows.

    Args:
        rows: from top to bottom; stem, blocks and head fill their places in this order.
        shape: `(H, W)` of the thumbnails.
        width: of the canvas.
        largest: from one place to the next.
        lines: of the numbers under a block.
    """
    blocks, is_single = sum(row.places for row in rows) - 2, len(rows) == 1
    columns = blocks + 1 if is_single else max(row.places for row in rows)
    at_ends = HEAD / 2 if is_single else TURN
    pitch = min((width - 2 * at_ends) / columns, largest)
    left = (width - columns * pitch) / 2 - (at_ends if is_single else 0)
    thumbnail = fit(shape, 0.6 * pitch, (0, 0))
    lanes = left - TURN + LANE, left + columns * pitch + TURN - LANE
    places = list(_places(rows, columns, left, pitch, thumbnail.height, lines))

    def below(index: int) -> Box:
        """Return the thumbnail under the stream at a place."""
        step, middle, level = places[index]
        centre = middle - step * 0.05 * pitch
        return replace(thumbnail, left=centre - thumbnail.width / 2, top=level + VALUE)

    found = [_block(*places[n], below(n), pitch) for n in range(1, blocks + 1)]
    step, middle, level = places[-1]
    near = middle - step * (pitch / 2 - 24 if is_single else 0.3 * pitch)
    head = _box_on(near + step * BOX_WIDTH / 2, level, BOX_WIDTH, BOX_HEIGHT)
    stem = _box_on(places[0][1] - 0.05 * pitch, places[0][2], BOX_WIDTH, BOX_HEIGHT)
    stations: list[tuple[Point, Point]] = [
        ((stem.right, stem.middle[1]),) * 2,
        *((block.fork, block.plus) for block in found),
        ((near, level),) * 2,
    ]
    links = tuple(
        _link(one[1], two[0], lanes[step > 0])
        for (step, _, _), (one, two) in zip(places[:-1], pairwise(stations), strict=True)
    )
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
        taps=tuple(_tap(*places[n], below(n), pitch) for n in range(blocks + 1)),
        radius=min(13.0, 0.085 * pitch),
        colour_bar=((max(width - 340, 16), height), (width - 20, height)),
    )


def _places(
    rows: Sequence[Row], columns: int, left: float, pitch: float, high: float, lines: int
) -> Iterator[tuple[int, float, float]]:
    """Yield the direction of every place, its middle, and the level of the stream there."""
    top, above = 0.0, VALUE + high + NAME
    below = VALUE + high + BAR_GAP + BAR + LINE * lines + BELOW
    for number, row in enumerate(rows):
        step = -1 if number % 2 else 1
        top += HEADING if row.has_heading else 0
        is_heads = row.places == 1 and number == len(rows) - 1  # with nothing above it
        for at in range(row.places):
            column = columns - 1 - at if step < 0 else at
            yield step, left + (column + 0.5) * pitch, top + (BOX_HEIGHT if is_heads else above)
        top += above + below


def _block(step: int, middle: float, level: float, stream: Box, pitch: float) -> BlockPlace:
    """Return the positions of the block whose place has this direction, middle and level."""
    bar = Box(stream.left, stream.bottom + BAR_GAP, stream.width, BAR)
    residual = replace(stream, top=level - NAME - stream.height)
    corner = residual.left if step > 0 else residual.right
    return BlockPlace(
        step=step,
        fork=(middle - step * 0.44 * pitch, level),
        plus=(middle + step * 0.34 * pitch, level),
        residual=residual,
        stream=stream,
        name=(stream.middle[0], level - NAME / 2 - 1),
        shortcut=_box_on(stream.middle[0], level, 0.6 * pitch, SHORTCUT),
        bar=bar,
        numbers=(bar.left, bar.bottom + 1),
        heading=(corner, residual.top - VALUE - HEADING),
    )


def _box_on(middle: float, level: float, width: float, height: float) -> Box:
    """Return a box on the stream."""
    return Box(middle - width / 2, level - height / 2, width, height)


def _link(start: Point, end: Point, lane: float) -> tuple[Point, ...]:
    """Return the way along a row, or around its end."""
    if start[1] == end[1]:
        return (start, end)
    return (start, (lane, start[1]), (lane, end[1]), end)


def _tap(step: int, middle: float, level: float, thumbnail: Box, pitch: float) -> tuple[Point, ...]:
    """Return the way from the stream behind a place down to the thumbnail."""
    x, side = middle + step * 0.47 * pitch, thumbnail.right if step > 0 else thumbnail.left
    return ((x, level), (x, thumbnail.middle[1]), (side, thumbnail.middle[1]))


def all_boxes(arranged: NetworkArrangement) -> Sequence[Box]:
    """Return every thumbnail: the stem's, then F(x) and the stream of each block."""
    pairs = ((block.residual, block.stream) for block in arranged.blocks)
    return [arranged.stem_stream, *chain.from_iterable(pairs)]
