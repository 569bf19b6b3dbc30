"""The benchmark's table, and paired timing."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement and a peer's.

    Attributes:
        what: name of the measurement.
        ours: median, in `unit`.
        peer: name of the peer.
        theirs: the peer's median, in `unit`; None without a peer.
        ratio: median of the paired runs' ratios; None without a peer.
        runs: number of runs.
        spread: lower and upper quartile of these ratios; None where runs are not paired.
    """

    what: str
    ours: float
    unit: str
    peer: str
    theirs: float | None
    ratio: float | None
    runs: int
    spread: tuple[float, float] | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the row's texts, one per heading."""
        theirs = "–" if self.theirs is None else f"{rounded(self.theirs)} {self.unit}"
        ratio = "–" if self.ratio is None else f"{self.ratio:.2f}"
        if self.spread:
            ratio += " ({:.2f}–{:.2f})".format(*self.spread)
        return (
            self.what,
            f"{rounded(self.ours)} {self.unit}",
            self.peer,
            theirs,
            ratio,
            str(self.runs),
        )


HEADINGS = ("measurement", "ours", "peer", "theirs", "ours / theirs", "runs")


def rounded(value: float) -> str:
    """Return a number as text, with three significant digits below 100."""
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    return table(HEADINGS, [row.cells() for row in rows])


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return headings and rows as a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def paired(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of every call, alternating so that disturbances affect all alike."""
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
    """Return a row of paired runs."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    spread = None
    if len(ratios) > 1:
        lower, _, upper = statistics.quantiles(ratios, method="inclusive")
        spread = lower, upper
    return Row(
        what,
        statistics.median(ours),
        unit,
        peer,
        statistics.median(theirs),
        statistics.median(ratios),
        len(ours),
        spread,
    )
