"""The meaning of an array's axes: one image, a stack of grey images or a batch."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from explorer.errors import InputError, describe
from explorer.inputs.limits import format_shape

AUTO = "auto"
# N: images, H: rows, W: columns, C: channels.
LAYOUTS: Mapping[str, str] = MappingProxyType(
    {
        "HWC": "one image, channels last",
        "CHW": "one image, channels first",
        "HW": "one grey image",
        "NHW": "a stack of grey images",
        "NHWC": "a batch of images, channels last",
        "NCHW": "a batch of images, channels first",
    }
)
CHANNELS_OF_PICTURES = (1, 3, 4)
MAX_CHANNELS_OF_PICTURES = max(CHANNELS_OF_PICTURES)
MIN_STACKED_SIDE = 16  # of the square images of a stack


def check_layout(layout: object) -> str:
    """Return `layout`; InputError unless it is "auto" or one of `LAYOUTS`."""
    if isinstance(layout, str) and layout in (AUTO, *LAYOUTS):
        return layout
    raise InputError(
        f"layout must be one of {', '.join((AUTO, *LAYOUTS))}, got {describe(layout)}."
    )


def layouts_of(axes: int) -> tuple[str, ...]:
    """Return the layouts with this number of axes."""
    return tuple(layout for layout in LAYOUTS if len(layout) == axes)


def choose_layout(shape: tuple[int, ...], layout: str = AUTO) -> tuple[str, tuple[str, ...]]:
    """Return the layout of an array's axes, and notes on what was chosen and why.

    "auto" takes three axes as CHW where the first is 1, 3 or 4 and the last is larger than 4, as
    NHW where the last two are equal and at least 16 and the first is larger than 4, and as HWC
    otherwise. It takes four axes as NCHW where only the second is 1, 3 or 4, and as NHWC
    otherwise.

    Args:
        shape: of the array.
        layout: "auto" or one of `LAYOUTS`.

    Raises:
        InputError: an array of this shape has no such layout.
    """
    possible = layouts_of(len(shape))
    if not possible:
        raise InputError(
            f"The array is {len(shape)}-D with shape {format_shape(shape)}; expected 2-D (H, W), "
            f"3-D (H, W, C) or 4-D (N, H, W, C): {_fix(shape)}."
        )
    if layout == AUTO:
        chosen, reason = _guess(shape)
        return chosen, _notes(shape, chosen, reason)
    if layout not in possible:
        raise InputError(
            f"The layout {layout} has {len(layout)} axes but the array has {len(shape)}, with "
            f"shape {format_shape(shape)}; expected {' or '.join(possible)}."
        )
    return layout, ()


def batch_shape(shape: tuple[int, ...], layout: str) -> tuple[int, int, int, int]:
    """Return `(N, H, W, C)` of an array of this shape and layout; N or C is 1 where it has none."""
    sides = dict(zip(layout, shape, strict=True))
    return sides.get("N", 1), sides["H"], sides["W"], sides.get("C", 1)


def layout_fix(shape: tuple[int, ...], layout: str) -> str:
    """Return how an array is read whose channels come first instead of last; else no words."""
    order = {"HWC": "(1, 2, 0)", "NHWC": "(0, 2, 3, 1)"}.get(layout)
    if order is None or not shape[-3] < min(shape[-2:]):
        return ""
    first = layout.replace("HWC", "CHW")
    return f"; if its channels come first, select the layout {first} or save x.transpose{order}"


def as_stored(batch: np.ndarray, layout: str) -> np.ndarray:
    """Return a view of an array `(N, H, W, C)` with its axes as in `layout`."""
    missing = tuple(axis for axis, name in enumerate("NHWC") if name not in layout)
    kept = [name for name in "NHWC" if name in layout]
    return batch.squeeze(missing).transpose([kept.index(name) for name in layout])


def _guess(shape: tuple[int, ...]) -> tuple[str, str]:
    """Return the layout that "auto" takes, and why."""
    first, last = shape[0], shape[-1]
    if len(shape) == 2:
        return "HW", ""
    if len(shape) == 3:
        if first in CHANNELS_OF_PICTURES and last > MAX_CHANNELS_OF_PICTURES:
            return "CHW", f"the first axis is {first} and the last is larger than 4"
        if shape[1] == last >= MIN_STACKED_SIDE and first > MAX_CHANNELS_OF_PICTURES:
            return "NHW", f"the last two axes are equal and at least {MIN_STACKED_SIDE}"
        return "HWC", "channels are taken to be the last axis"
    if shape[1] in CHANNELS_OF_PICTURES and last not in CHANNELS_OF_PICTURES:
        return "NCHW", f"the second axis is {shape[1]} and the last is not 1, 3 or 4"
    return "NHWC", "channels are taken to be the last axis"


def _notes(shape: tuple[int, ...], chosen: str, reason: str) -> tuple[str, ...]:
    """Return sentences on the choice; none where no other reading comes into question."""
    others = [
        layout
        for layout in layouts_of(len(shape))
        if layout != chosen and _is_plausible(shape, layout)
    ]
    if chosen in ("HW", "HWC") and not others:
        return ()
    note = f"Its axes were read as {chosen}, {LAYOUTS[chosen]}, because {reason}."
    if not others:
        return (note,)
    readings = " or ".join(f"{layout}, {_reading(shape, layout)}" for layout in others)
    return (note, f"It could also be {readings}: select the layout if so.")


def _is_plausible(shape: tuple[int, ...], layout: str) -> bool:
    """Return whether the images are square, or have fewer channels than rows and columns."""
    images, height, width, channels = batch_shape(shape, layout)
    if layout == "NHW":
        return height == width >= MIN_STACKED_SIDE and images > MAX_CHANNELS_OF_PICTURES
    return height == width or channels <= min(height, width)


def _reading(shape: tuple[int, ...], layout: str) -> str:
    """Return the reading of a shape in words, as "60 grey images of 28×28 pixels"."""
    images, height, width, channels = batch_shape(shape, layout)
    size = f"{height:,}×{width:,} pixels"
    if layout == "NHW":
        return f"{images:,} grey images of {size}"
    subject = f"{images:,} images of {size}" if "N" in layout else f"one image of {size}"
    return f"{subject} with {channels:,} channel{'s' if channels != 1 else ''}"


def _fix(shape: tuple[int, ...]) -> str:
    """Return how an array with too few or too many axes becomes one that can be read."""
    if len(shape) > 4:
        return "save one image or batch of it, for instance x[0]"
    if len(shape) == 0:
        return "save it with numpy.reshape(x, (1, 1))"
    side = round(shape[0] ** 0.5) if 0 < shape[0] < 2**50 else 0
    if side > 1 and side * side == shape[0]:
        return f"give it its shape, for instance x.reshape({side}, {side}), or x[..., None]"
    return "give it its shape, for instance x.reshape(H, W), or x[..., None] for one column"
