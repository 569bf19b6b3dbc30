"""Curves as tables in CSV files."""

import csv
from collections.abc import Mapping
from io import StringIO

import numpy as np

from explorer.records import DepthRecord


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


def _csv(rows: list[list[object]]) -> str:
    content = StringIO()
    csv.writer(content, lineterminator="\n").writerows(rows)
    return content.getvalue()
