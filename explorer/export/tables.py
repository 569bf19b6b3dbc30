"""Curves and tables as CSV files."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from io import StringIO

import numpy as np

from explorer.analysis.network_health import NetworkHealth
from explorer.analysis.summary import channel_table
from explorer.records import BlockTrace, DepthRecord, NetworkTrace


def depth_csv(stacks: Mapping[str, DepthRecord]) -> str:
    """Return the curves of stacks as CSV: a row for each stack, run and block.

    Args:
        stacks: by name, such as "residual" and "plain". What a stack does not have is empty.
    """
    names = list(dict.fromkeys(name for each in stacks.values() for name in each.curves))
    rows: list[list[object]] = [["stack", "run", "block", *names]]
    for stack, record in stacks.items():
        runs, depth = next(iter(record.curves.values())).shape
        for run in range(runs):
            for block in range(depth):
                found = (record.curves.get(name) for name in names)
                values = ["" if each is None else each[run, block] for each in found]
                rows.append([stack, run + 1, block + 1, *values])
    return _csv(rows)


def training_csv(histories: Mapping[str, tuple[Mapping[str, np.ndarray], np.ndarray]]) -> str:
    """Return the curves of trainings as CSV: a row for each network and step.

    The test accuracy is empty at steps after which it was not taken.

    Args:
        histories: each network's history and the numbers of the steps after which the test
            accuracy was taken, as in `TrainingRun`; by name.
    """
    rows: list[list[object]] = [
        ["network", "step", "train loss", "train accuracy", "test accuracy"]
    ]
    for network, (history, checked_at) in histories.items():
        accuracy = dict(zip(checked_at.tolist(), history["test accuracy"], strict=True))
        curves = zip(history["train loss"], history["train accuracy"], strict=True)
        for step, (loss, correct) in enumerate(curves, 1):
            rows.append([network, step, loss, correct, accuracy.get(step, "")])
    return _csv(rows)


def channel_csv(trace: BlockTrace) -> str:
    """Return the numbers of `ChannelTable` as CSV: a row for each channel of F(x)."""
    columns = vars(channel_table(trace))
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return _csv([["channel", *columns], *([number, *row] for number, row in enumerate(rows))])


def lens_csv(trace: NetworkTrace, classes: Sequence[str]) -> str:
    """Return every class's probability by the head as CSV: a row for the stem and each block.

    Args:
        trace: of one picture.
        classes: the names of all classes, by label.
    """
    rows = ([name, *found.tolist()] for name, found in trace.probabilities.items())
    return _csv([["after", *classes], *rows])


def confusion_csv(counts: np.ndarray, classes: Sequence[str]) -> str:
    """Return counts of test pictures as CSV: a row for each class, a column for each predicted.

    Args:
        counts: `(classes, classes)`, as `confusion` returns them.
        classes: the names of all classes, by label.
    """
    rows = ([name, *row] for name, row in zip(classes, counts.tolist(), strict=True))
    return _csv([["class \\ predicted", *classes], *rows])


def health_csv(health: NetworkHealth) -> str:
    """Return the numbers of `HealthRow` as CSV: a row for each block."""
    rows = [asdict(row) | {"remarks": " ".join(row.remarks)} for row in health.rows]
    return _csv([list(rows[0]), *(list(row.values()) for row in rows)])


def _csv(rows: Sequence[Sequence[object]]) -> str:
    content = StringIO()
    csv.writer(content, lineterminator="\n").writerows([map(_cell, row) for row in rows])
    return content.getvalue()


def _cell(value: object) -> object:
    """Return a value that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@\t\r")) else value
