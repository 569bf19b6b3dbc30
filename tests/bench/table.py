"""The benchmark's table: what was measured, beside a peer's figure."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A figure of ours beside a peer's; `ratio` is the median of paired runs' ratios."""

    what: str
    ours: float
    unit: str
    peer: str
    theirs: float | None
    ratio: float | None
    runs: int

    def cells(self) -> tuple[str, ...]:
        theirs = "–" if self.theirs is None else f"{rounded(self.theirs)} {self.unit}"
        ratio = "–" if self.ratio is None else f"{self.ratio:.2f}"
        return (
            self.what,
            f"{rounded(self.ours)} {self.unit}",
            self.peer,
            theirs,
            ratio,
            str(self.runs),
        )


HEADINGS = ("what", "ours", "peer", "theirs", "ours / theirs", "runs")


def rounded(number: float) -> str:
    """Three digits, as many as a timing is worth."""
    return f"{number:.3g}" if number < 100 else f"{number:.0f}"


def markdown(rows: Sequence[Row]) -> str:
    """The rows as a table in Markdown."""
    return table(HEADINGS, [row.cells() for row in rows])


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells as a table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def paired(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every call, taken in turns so that what disturbs one disturbs all."""
    for call in calls.values():
        call()  # compiles
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - start) * 1000)
    return times


def compared(
    what: str, unit: str, peer: str, ours: Sequence[float], theirs: Sequence[float]
) -> Row:
    """A row of paired runs."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Row(
        what,
        statistics.median(ours),
        unit,
        peer,
        statistics.median(theirs),
        statistics.median(ratios),
        len(ours),
    )
