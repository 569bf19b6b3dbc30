"""Inputs drawn by formula: random numbers, and patterns that show what a convolution does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.errors import InputError, describe
from explorer.inputs import samples
from explorer.inputs.limits import check_shape

Draw = Callable[[np.random.Generator, int, int, int], np.ndarray]


@dataclass(frozen=True)
class Kind:
    """One way to make an input.

    `draw(rng, H, W, C)` returns `(H, W, C)`. `seeded` says whether it uses
    `rng`; `channels` is set where the number of channels is not free.
    """

    title: str
    group: Literal["random", "pattern", "sample"]
    draw: Draw
    seeded: bool = False
    channels: int | None = None


def generate(kind: str, height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """Makes an input by name.

    Args:
        kind: a key of `KINDS`.
        height, width, channels: shape of the result, within `limits`. Samples have
            a fixed number of channels, which `KINDS[kind].channels` tells.
        seed: whole number ≥ 0, fixes what is random; patterns ignore it.

    Returns:
        `(height, width, channels)` float32.

    Raises:
        InputError: an unknown kind or a shape outside the limits.
    """
    if kind not in KINDS:
        raise InputError(f"kind must be one of {', '.join(KINDS)}, got {describe(kind)}.")
    check_shape((height, width, channels))
    fixed = KINDS[kind].channels
    if fixed is not None and channels != fixed:
        raise InputError(f"{kind} has {fixed} channels, got channels {channels}.")
    rng = np.random.default_rng(seed)
    return KINDS[kind].draw(rng, height, width, channels).astype(np.float32)


def _normal(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    return rng.standard_normal((height, width, channels), dtype=np.float32)


def _uniform(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    return rng.random((height, width, channels), dtype=np.float32)


def _impulse(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """One cell of 1 in the middle: conv1 then shows its own kernel, turned by 180°."""
    x = np.zeros((height, width, channels))
    x[height // 2, width // 2, :] = 1
    return x


def _edge(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """A step from −1 to 1 through the middle, turned by π/C from channel to channel."""
    return np.where(_ramp(height, width, channels) < 0, -1.0, 1.0)


def _gradient(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """A ramp from −1 to 1, turned by π/C from channel to channel."""
    ramp = _ramp(height, width, channels)
    return ramp / np.maximum(np.abs(ramp).max(axis=(0, 1)), 1)


def _checkerboard(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """−1 and 1 in squares of 1, 2, 4 and 8 pixels, by channel modulo 4."""
    row, col = np.arange(height)[:, None, None], np.arange(width)[None, :, None]
    side = 2 ** (np.arange(channels) % 4)
    return np.where((row // side + col // side) % 2 == 0, 1.0, -1.0)


def _zone_plate(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """cos(πr²/2N − 2πc/C), N the longer side: rings from slow to half of what pixels can carry."""
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


KINDS: dict[str, Kind] = {
    "zone_plate": Kind("Zone plate", "pattern", _zone_plate),
    "impulse": Kind("Single impulse", "pattern", _impulse),
    "edge": Kind("Edge", "pattern", _edge),
    "checkerboard": Kind("Checkerboard", "pattern", _checkerboard),
    "gradient": Kind("Gradient", "pattern", _gradient),
    "normal": Kind("Normal noise", "random", _normal, seeded=True),
    "uniform": Kind("Uniform noise", "random", _uniform, seeded=True),
    "landscape": Kind("Landscape", "sample", samples.landscape, seeded=True, channels=3),
    "cells": Kind("Stained cells", "sample", samples.cells, seeded=True, channels=3),
    "digit": Kind("Written digit", "sample", samples.digit, channels=1),
}
