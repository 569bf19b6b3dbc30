"""Random numbers for every purpose, independent of each other and fixed by one seed."""

from enum import IntEnum
from typing import Any

import numpy as np

from explorer.errors import check_integer, check_type

MAX_SEED = 2**32 - 1


class Purpose(IntEnum):
    """What random numbers are drawn for; each has a stream of its own."""

    INPUT = 0
    PROJECTION = 1  # of an input's channels
    NEARBY_INPUT = 2  # in the correlation of gradients
    COTANGENT = 3
    PATHS = 4  # which blocks a path goes through
    SPLIT = 5  # of labelled pictures, into those to train and to test on
    NETWORK = 6  # the seeds of a network's parts
    BATCHES = 7  # the order of the training pictures
    DEPTH = 8  # which blocks stochastic depth drops
    ABLATION = 9  # which blocks are deleted together


def check_seed(seed: Any) -> int:
    """Return `seed` as an int; InputError unless it is an integer 0 … 2³²−1."""
    return check_integer("seed", seed, 0, MAX_SEED)


def random_stream(seed: float, purpose: Purpose) -> np.random.Generator:
    """Return a generator of the random numbers for a purpose.

    With one stream for all, a random input and a random cotangent of the same seed and shape
    would be equal.

    Args:
        seed: integer 0 … 2³²−1.
        purpose: what the numbers are for.

    Raises:
        InputError: an argument is outside its documented range.
    """
    return np.random.default_rng([check_seed(seed), check_type("purpose", purpose, Purpose)])
