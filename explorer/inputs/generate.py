"""Generated inputs: noise, patterns that show the effect of a convolution, and samples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.errors import InputError, check_choice, check_integer
from explorer.inputs import samples
from explorer.inputs.limits import check_shape
from explorer.inputs.random_streams import Purpose, random_stream

Draw = Callable[[np.random.Generator, int, int, int], np.ndarray]


@dataclass(frozen=True)
class InputGenerator:
    """A named way to generate an input.

    Attributes:
        title: its name on the page.
        group: "random", "pattern" or "sample".
        draw: called as `draw(rng, H, W, C)`; returns `(H, W, C)`.
        seeded: whether `draw` uses `rng`.
        channels: the only number of channels it can generate; None for any.
    """

    title: str
    group: Literal["random", "pattern", "sample"]
    draw: Draw
    seeded: bool = False
    channels: int | None = None


def generate(name: str, height: int, width: int, channels: int, seed: float = 0) -> np.ndarray:
    """Generate an input by name.

    Args:
        name: a key of `GENERATORS`.
        height, width, channels: shape of the result, within `limits`. Samples have
            a fixed number of channels, `GENERATORS[name].channels`.
        seed: integer 0 … 2³²−1, fixes the random numbers; patterns ignore it.

    Returns:
        `(height, width, channels)` float32.

    Raises:
        InputError: the name is unknown, or the shape is outside the limits.
    """
    check_choice("name", name, GENERATORS)
    height, width, channels = (
        check_integer(side, value, 1, None)
        for side, value in (("height", height), ("width", width), ("channels", channels))
    )
    check_shape((height, width, channels))
    fixed = GENERATORS[name].channels
    if fixed is not None and channels != fixed:
        raise InputError(f"channels must be {fixed} for {name}, got {channels}.")
    rng = random_stream(seed, Purpose.INPUT)
    return GENERATORS[name].draw(rng, height, width, channels).astype(np.float32)


def _normal(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    return rng.standard_normal((height, width, channels), dtype=np.float32)


def _uniform(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    return rng.random((height, width, channels), dtype=np.float32)


def _impulse(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """Return zeros with a 1 in the middle: conv1 is then its kernel, rotated by 180°."""
    x = np.zeros((height, width, channels))
    x[height // 2, width // 2, :] = 1
    return x


def _edge(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """Return a step from −1 to 1 through the middle, rotated by π/C from channel to channel."""
    return np.where(_ramp(height, width, channels) < 0, -1.0, 1.0)


def _gradient(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """Return a ramp from −1 to 1, rotated by π/C from channel to channel."""
    ramp = _ramp(height, width, channels)
    return ramp / np.maximum(np.abs(ramp).max(axis=(0, 1)), 1)


def _checkerboard(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """Return squares of −1 and 1 with sides of 1, 2, 4 and 8 pixels, by channel modulo 4."""
    row, col = np.arange(height)[:, None, None], np.arange(width)[None, :, None]
    side = 2 ** (np.arange(channels) % 4)
    return np.where((row // side + col // side) % 2 == 0, 1.0, -1.0)


def _zone_plate(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """Return cos(πr²/2N − 2πc/C), N the longer side: rings up to half the Nyquist frequency."""
    rows, cols = _centred(height, width)
    radius2 = rows**2 + cols**2
    phase = 2 * np.pi * np.arange(channels) / channels
    return np.cos(np.pi * radius2[..., None] / (2 * max(height, width)) - phase)


def _ramp(height: int, width: int, channels: int) -> np.ndarray:
    rows, cols = _centred(height, width)
    angle = np.pi * np.arange(channels) / channels
    return cols[..., None] * np.cos(angle) + rows[..., None] * np.sin(angle)


def _centred(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rows, cols = np.mgrid[:height, :width]
    return rows - (height - 1) / 2, cols - (width - 1) / 2


GENERATORS: dict[str, InputGenerator] = {
    "landscape": InputGenerator("Landscape", "sample", samples.landscape, seeded=True, channels=3),
    "cells": InputGenerator("Stained cells", "sample", samples.cells, seeded=True, channels=3),
    "digit": InputGenerator("Written digit", "sample", samples.digit, channels=1),
    "zone_plate": InputGenerator("Zone plate", "pattern", _zone_plate),
    "impulse": InputGenerator("Single impulse", "pattern", _impulse),
    "edge": InputGenerator("Edge", "pattern", _edge),
    "checkerboard": InputGenerator("Checkerboard", "pattern", _checkerboard),
    "gradient": InputGenerator("Gradient", "pattern", _gradient),
    "normal": InputGenerator("Normal noise", "random", _normal, seeded=True),
    "uniform": InputGenerator("Uniform noise", "random", _uniform, seeded=True),
}
