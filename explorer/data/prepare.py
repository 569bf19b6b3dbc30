"""From pictures and labels to a `Dataset`: split and standardise."""

from collections.abc import Hashable

import numpy as np

from explorer.data.dataset import CHUNK_SIZE, Dataset, write_standardised
from explorer.data.split import stratified_split
from explorer.errors import InputError


def prepare(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int,
    classes: tuple[str, ...],
    title: str,
    source: str,
    key: tuple[Hashable, ...],
) -> Dataset:
    """Return the data set of these pictures, stored in the same array.

    Args:
        images: `(N, H, W, C)` float32 in C order, finite. It is overwritten, because two copies of
            the largest data set would need twice the memory.
        labels: `(N,)` int32, 0 … K−1, each of them at least twice.
        seed: integer 0 … 2³²−1, fixes the split.
        classes, title, source, key: as for `Dataset`.

    Raises:
        InputError: all values of the training pictures are equal, or values of the others are too
            far from them for float32.
    """
    train, test = stratified_split(labels, seed)
    order = np.concatenate([train, test])
    for row in range(images.shape[1]):
        images[:, row] = images[order, row]
    train_images, test_images = images[: len(train)], images[len(train) :]
    mean, deviation = _mean_and_deviation(train_images)
    with np.errstate(over="ignore"):
        write_standardised(images, images, mean, deviation)
    if not np.isfinite([test_images.min(), test_images.max()]).all():
        raise InputError(
            "x has values in the test pictures too far from those of the training pictures, whose "
            f"standard deviation is {deviation:g}; expected values within ±3.4e38 standard "
            "deviations: remove such pictures."
        )
    return Dataset(
        train_images=train_images,
        train_labels=labels[train],
        test_images=test_images,
        test_labels=labels[test],
        classes=classes,
        mean=mean,
        deviation=deviation,
        title=title,
        source=source,
        key=key,
    )


def _mean_and_deviation(images: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of all values, computed in float64.

    Raises:
        InputError: all values are equal.
    """
    low, high = float(images.min()), float(images.max())
    if low == high:
        raise InputError(
            f"x has the same value, {low:g}, everywhere in the training pictures; expected at "
            "least two different values."
        )
    mean = float(images.mean(dtype=np.float64))
    values = images.reshape(-1)
    squares = 0.0
    for start in range(0, len(values), CHUNK_SIZE):
        squares += float(np.square(values[start : start + CHUNK_SIZE] - np.float64(mean)).sum())
    return mean, float(np.sqrt(squares / len(values)))
