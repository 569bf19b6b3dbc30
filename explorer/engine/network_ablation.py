"""Ablation of a trained network: its accuracy when blocks are deleted or swapped.

Veit et al. 2016, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*,
Sec. 4, who call it a lesion study.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from explorer.engine.arrays import frozen
from explorer.engine.network import Network
from explorer.engine.network_parts import check_labels, padded, run_block, run_head
from explorer.engine.progress import Progress, check_progress
from explorer.errors import check_array, check_type
from explorer.inputs.random_streams import Purpose, check_seed, random_stream
from explorer.records import NetworkAblation

DRAWS = 20  # for each number of random blocks
MAX_COUNTS = 8  # different numbers of random blocks

Order = tuple[str, ...]  # the blocks that run, by name


def ablate_network(
    network: Network,
    images: Any,
    labels: Any,
    *,
    seed: float = 0,
    progress: Progress | None = None,
) -> NetworkAblation:
    """Return the accuracies of a network when blocks are deleted or swapped, in eval mode.

    Each block is deleted in turn; each block is swapped with the next; and k random blocks are
    deleted, 20 times for each k (Veit et al. 2016, Fig. 5a): k = 1 … blocks, or 8 values of k for
    more than 8 blocks. A deleted block of a residual network leaves the residual stream as it is;
    that of a plain network passes on its input.

    Args:
        network: the network.
        images: `(N, H, W, channels)`, standardised as in training.
        labels: `(N,)` integers, the classes.
        seed: integer 0 … 2³²−1, fixes the random blocks.
        progress: called after every run of a batch through a changed network with the number of
            such runs done and in total.

    Raises:
        InputError: an argument is outside its documented range.
    """
    names = check_type("network", network, Network).blocks
    given = check_array("images", images, 4)
    classes = check_labels(labels, len(given))
    counts = _counts(len(names))
    deleted = [_without(names, {name}) for name in names]
    swapped = [_swapped(names, index) for index in range(len(names) - 1)]
    drawn = _random_orders(names, counts, seed)
    accuracy = _accuracies(
        network, given, classes, [names, *deleted, *swapped, *drawn], check_progress(progress)
    )
    return NetworkAblation(
        intact=accuracy[names],
        deleted=frozen(np.array([accuracy[order] for order in deleted])),
        swapped=frozen(np.array([accuracy[order] for order in swapped])),
        counts=frozen(counts),
        random=frozen(np.array([accuracy[order] for order in drawn]).reshape(-1, DRAWS)),
    )


def _counts(blocks: int) -> np.ndarray:
    """Return the numbers of random blocks: 1 … `blocks`, about evenly."""
    return np.linspace(1, blocks, min(blocks, MAX_COUNTS)).round().astype(int)


def _without(names: Order, removed: set[str]) -> Order:
    return tuple(name for name in names if name not in removed)


def _swapped(names: Order, index: int) -> Order:
    return (*names[:index], names[index + 1], names[index], *names[index + 2 :])


def _random_orders(names: Order, counts: np.ndarray, seed: float) -> list[Order]:
    """Return the orders without random blocks, `DRAWS` for every count."""
    random = random_stream(check_seed(seed), Purpose.ABLATION)
    draws = [random.choice(len(names), k, replace=False) for k in np.repeat(counts, DRAWS)]
    return [_without(names, {names[index] for index in draw}) for draw in draws]


def _accuracies(
    network: Network,
    images: np.ndarray,
    labels: np.ndarray,
    orders: Sequence[Order],
    report: Progress,
) -> dict[Order, float]:
    """Return the accuracy of a network with its blocks in each of these orders."""
    correct = dict.fromkeys(orders, 0)  # equal orders are run once
    size = network.batch_size(images.shape)
    starts = range(0, len(images), size)
    done, total = 0, len(starts) * len(correct)
    for start in starts:
        batch = padded(network.check_images(images[start : start + size], 4), size)
        expected = labels[start : start + size]
        for order, logits in _logits(network, batch, correct):
            predicted = logits[: len(expected)].argmax(axis=-1)
            correct[order] += int(np.count_nonzero(predicted == expected))
            done += 1
            report(done, total)
    return {order: count / len(images) for order, count in correct.items()}


def _logits(
    network: Network, images: np.ndarray, orders: Iterable[Order]
) -> Iterator[tuple[Order, np.ndarray]]:
    """Yield every order with its logits of these pictures.

    Orders that start with the same blocks share the passes through these.
    """
    first: Order = ()
    pending = [(first, run_block(network.stem, images), [*orders])]
    while pending:
        # The blocks that these orders start with, and the stream before the last of them.
        first, h, same = pending.pop()
        if first:
            h = run_block(network.models[first[-1]], h)
        longer: dict[Order, list[Order]] = {}
        for order in same:
            longer.setdefault(order[: len(first) + 1], []).append(order)
        if longer.pop(first, None):
            yield first, np.asarray(run_head(network.final, network.head, h, True))
        # The largest group is taken last, so that few streams are kept at a time.
        groups = sorted(longer.items(), key=lambda item: -len(item[1]))
        pending += [(start, h, group) for start, group in groups]
