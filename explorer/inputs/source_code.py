"""NumPy code that makes an input, for scripts that do not import this package."""

from collections.abc import Mapping
from types import MappingProxyType

from explorer.inputs.generate import GENERATORS
from explorer.inputs.random_streams import Purpose

_CENTRED = """\
rows, cols = np.mgrid[:height, :width]
rows, cols = rows - (height - 1) / 2, cols - (width - 1) / 2
"""
_RAMP = f"""\
{_CENTRED}angle = np.pi * np.arange(channels) / channels
ramp = cols[..., None] * np.cos(angle) + rows[..., None] * np.sin(angle)
"""
_RANDOM = f"np.random.default_rng([input_seed, {Purpose.INPUT:d}])"
# The generators that are short formulas; the others draw pictures.
_FORMULAS: Mapping[str, str] = MappingProxyType(
    {
        "zone_plate": f"""\
{_CENTRED}phase = 2 * np.pi * np.arange(channels) / channels
x = np.cos(np.pi * (rows**2 + cols**2)[..., None] / (2 * max(height, width)) - phase)
""",
        "impulse": """\
x = np.zeros((height, width, channels))
x[height // 2, width // 2, :] = 1
""",
        "edge": f"{_RAMP}x = np.where(ramp < 0, -1.0, 1.0)\n",
        "checkerboard": """\
row, col = np.arange(height)[:, None, None], np.arange(width)[None, :, None]
side = 2 ** (np.arange(channels) % 4)
x = np.where((row // side + col // side) % 2 == 0, 1.0, -1.0)
""",
        "gradient": f"{_RAMP}x = ramp / np.maximum(np.abs(ramp).max(axis=(0, 1)), 1)\n",
        "normal": f"x = {_RANDOM}.standard_normal((height, width, channels), dtype=np.float32)\n",
        "uniform": f"x = {_RANDOM}.random((height, width, channels), dtype=np.float32)\n",
    }
)

STANDARDISE_SOURCE = """\
wide = x.astype(np.float64)
centred = wide - wide.mean(axis=(0, 1))
std = centred.std(axis=(0, 1))
constant = std <= 1e-7 * np.abs(wide).max(axis=(0, 1))
x = np.where(constant, 0, centred / np.where(constant, 1, std)).astype(np.float32)
"""
PAD_SOURCE = "x = np.pad(x, ((0, 0), (0, 0), (0, features - x.shape[2])))\n"
PROJECT_SOURCE = f"""\
projection = np.random.default_rng([seed, {Purpose.PROJECTION:d}])
projection = projection.standard_normal((x.shape[2], features)) / np.sqrt(x.shape[2])
x = x @ projection.astype(np.float32)
"""


def generator_source(name: str, height: int, width: int, channels: int, seed: int) -> str:
    """Return the lines that make `x` as `generate` does; empty if it is no short formula."""
    if name not in _FORMULAS:
        return ""
    seed_line = f"input_seed = {seed}\n" if GENERATORS[name].seeded else ""
    return (
        f"height, width, channels = {height}, {width}, {channels}  # {GENERATORS[name].title}\n"
        f"{seed_line}{_FORMULAS[name]}x = x.astype(np.float32)\n"
    )
