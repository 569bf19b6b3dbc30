"""Sample pictures, drawn by formula so that no image files and licences are needed.

Each function takes a random generator, a height, a width and its fixed number of channels, and
returns values in [0, 1].
"""

from itertools import pairwise

import numpy as np


def landscape(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """Return an evening sky with a sun over three ridges, `(H, W, 3)`."""
    down, across = _unit_grid(height, width)
    sky_top, sky_low = np.array([0.16, 0.27, 0.55]), np.array([0.98, 0.72, 0.45])
    picture = _mix(sky_top, sky_low, np.clip(down / 0.65, 0, 1))
    sun = np.hypot(down - 0.36, (across - 0.68) * width / height)
    picture = _mix(picture, np.array([1.0, 0.9, 0.6]), 0.6 * np.exp(-((sun / 0.22) ** 2)))
    picture = _mix(picture, np.array([1.0, 0.98, 0.86]), _inside(sun, 0.08, 2 / height))
    ridges = [
        (0.52, 0.10, (0.50, 0.42, 0.55)),
        (0.66, 0.08, (0.30, 0.30, 0.42)),
        (0.80, 0.07, (0.10, 0.16, 0.18)),
    ]
    for base, rise, colour in ridges:
        crest = base + rise * _fractal_line(rng, across)
        picture = _mix(picture, np.array(colour), _inside(crest, down, 1 / height))
    grain = rng.normal(0, 0.015, (height, width, 1))
    return np.clip(picture + grain, 0, 1)


def cells(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """Return round cells with dark nuclei, as in a stained tissue section, `(H, W, 3)`."""
    down, across = _unit_grid(height, width)
    ground, body, nucleus = (
        np.array(c) for c in ((0.96, 0.88, 0.92), (0.86, 0.60, 0.76), (0.36, 0.20, 0.52))
    )
    picture = np.broadcast_to(ground, (height, width, 3))
    soft = 2 / min(height, width)
    for row, col in rng.random((26, 2)):
        size = rng.uniform(0.06, 0.11)
        stretch = rng.uniform(0.8, 1.25)
        away = np.hypot((down - row) * stretch, (across - col) / stretch)
        picture = _mix(picture, body, 0.8 * _inside(away, size, soft))
        picture = _mix(picture, nucleus, _inside(away, size * rng.uniform(0.35, 0.55), soft))
    grain = rng.normal(0, 0.02, (height, width, 1))
    return np.clip(picture + grain, 0, 1)


def digit(rng: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    """Return a handwritten five, light on dark, `(H, W, 1)`."""
    down, across = _unit_grid(height, width)
    turn = np.linspace(-0.75 * np.pi, 0.8 * np.pi, 60)
    bowl = np.stack([0.63 + 0.17 * np.sin(turn), 0.46 + 0.2 * np.cos(turn)], axis=1)
    flag = np.array([[0.2, 0.68], [0.2, 0.38], bowl[0]])
    pen = np.full((height, width), np.inf)
    for stroke in (flag, bowl):
        for start, end in pairwise(stroke):
            pen = np.minimum(pen, _distance_to_segment(down, across, start, end))
    return _inside(pen, 0.05, 1.5 / min(height, width))


def _unit_grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and column of every pixel's centre, scaled to 0 … 1."""
    rows, cols = np.mgrid[:height, :width]
    return (rows + 0.5) / height, (cols + 0.5) / width


def _inside(distance: np.ndarray, edge: np.ndarray | float, soft: float) -> np.ndarray:
    """Return 1 where `distance` < `edge` and 0 beyond, with a ramp `soft` wide; `(H, W, 1)`."""
    return np.clip((edge - distance) / soft + 0.5, 0, 1)[..., None]


def _mix(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    alpha = alpha if alpha.ndim == 3 else alpha[..., None]
    return below * (1 - alpha) + above * alpha


def _fractal_line(rng: np.random.Generator, across: np.ndarray) -> np.ndarray:
    octaves = range(6)
    waves = (
        np.sin(2 * np.pi * (2**k * across * rng.uniform(0.7, 1.3) + rng.random())) / 1.8**k
        for k in octaves
    )
    return sum(waves, start=np.zeros_like(across))


def _distance_to_segment(
    down: np.ndarray, across: np.ndarray, start: np.ndarray, end: np.ndarray
) -> np.ndarray:
    step = end - start
    along = ((down - start[0]) * step[0] + (across - start[1]) * step[1]) / (step @ step)
    along = np.clip(along, 0, 1)
    return np.hypot(down - start[0] - along * step[0], across - start[1] - along * step[1])
