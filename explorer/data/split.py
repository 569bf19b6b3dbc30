"""The split of labelled pictures into those to train and those to test on."""

import numpy as np

from explorer.inputs.random_streams import Purpose, random_stream

TEST_PART = 5  # one picture in this many is to test on


def stratified_split(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the pictures to train and to test on, each in random order.

    One picture in five is to test on, rounded up, and at least one of every class. Each class has
    the share of them that it has of all pictures, rounded down or up by the largest remainders
    where every share is at least one picture.

    Args:
        labels: `(N,)` integers, 0 … K−1, each of them at least twice.
        seed: integer 0 … 2³²−1.

    Returns:
        two arrays of positions in `labels`, which together hold every position once.
    """
    order = random_stream(seed, Purpose.SPLIT).permutation(len(labels))
    to_test = np.zeros(len(labels), bool)
    for label, count in enumerate(counts_to_test(np.bincount(labels))):
        to_test[np.flatnonzero(labels[order] == label)[:count]] = True
    return order[~to_test], order[to_test]


def counts_to_test(sizes: np.ndarray) -> np.ndarray:
    """Return how many pictures of every class are to test on, given `(K,)` sizes of at least 2."""
    total = int(sizes.sum())
    wanted = max(-(-total // TEST_PART), len(sizes))
    counts = np.maximum(1, sizes * wanted // total)
    while excess := int(counts.sum()) - wanted:
        missing = sizes * wanted - counts * total  # pictures of a class short of its share · total
        if excess < 0:
            counts[missing.argmax()] += 1
        else:
            counts[np.where(counts > 1, missing, missing.max() + 1).argmin()] -= 1
    return counts
