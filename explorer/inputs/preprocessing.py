"""What turns a picture into the input of a network: resize, centre crop, and normalise."""

from dataclasses import dataclass

import numpy as np

from explorer.errors import (
    InputError,
    check_array,
    check_integer,
    check_real,
    check_type,
    describe,
)
from explorer.inputs.limits import MAX_PICTURE_SIDE
from explorer.inputs.resize import resize_picture

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MIN_SIDE = 8


@dataclass(frozen=True)
class Preprocessing:
    """The steps from a picture to a network's input.

    Attributes:
        resize: the shorter side after resizing, 8 … 1024.
        crop: the side of the square that is cut from the middle, 8 … `resize`.
        mean, deviation: one number for each channel of the network; the picture's values, from 0
            to 1, minus the mean are divided by the deviation, which is above 0.
    """

    resize: int
    crop: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def __post_init__(self) -> None:
        resize = check_integer("resize", self.resize, MIN_SIDE, MAX_PICTURE_SIDE)
        object.__setattr__(self, "resize", resize)
        object.__setattr__(self, "crop", check_integer("crop", self.crop, MIN_SIDE, resize))
        for name in ("mean", "deviation"):
            given = getattr(self, name)
            if not isinstance(given, tuple | list) or not given:
                raise InputError(
                    f"{name} must be a tuple with one number for each channel, got "
                    f"{describe(given)}."
                )
            object.__setattr__(self, name, tuple(check_real(name, each) for each in given))
        if len(self.mean) != len(self.deviation):
            raise InputError(
                "mean and deviation must have one number for each channel; got "
                f"{describe(self.mean)} and {describe(self.deviation)}."
            )
        if min(self.deviation) <= 0:
            raise InputError(f"deviation must be above 0, got {describe(self.deviation)}.")


@dataclass(frozen=True)
class PreprocessedPicture:
    """A picture after every step, `(H, W, C)` float32; the first two have values from 0 to 1."""

    resized: np.ndarray
    cropped: np.ndarray
    normalised: np.ndarray


def default_preprocessing(channels: int, is_small: bool) -> Preprocessing:
    """Return the usual steps: 256 → 224, or 32 → 32 for networks of small pictures.

    ImageNet's mean and deviation for three channels, and 0 and 1 for others.

    Args:
        channels: of the network's pictures.
        is_small: whether its stem keeps rows and columns, as that of CIFAR networks.
    """
    is_colour = channels == 3
    return Preprocessing(
        *((32, 32) if is_small else (256, 224)),
        IMAGENET_MEAN if is_colour else (0.0,) * channels,
        IMAGENET_DEVIATION if is_colour else (1.0,) * channels,
    )


def preprocess(picture: np.ndarray, settings: Preprocessing) -> PreprocessedPicture:
    """Return a picture after every step.

    Args:
        picture: `(H, W, C)`, values from 0 to 1; its channels become those of the mean.
        settings: the steps.

    Raises:
        InputError: the picture is no array `(H, W, C)`.
    """
    check_type("settings", settings, Preprocessing)
    height, width = check_array("picture", picture, 3).shape[:2]
    scale = settings.resize / min(height, width)
    rows, cols = (max(settings.resize, round(side * scale)) for side in (height, width))
    if max(rows, cols) > 4 * MAX_PICTURE_SIDE:
        raise InputError(
            f"The picture has {height}×{width} pixels, so it would be resized to {rows}×{cols}; "
            f"the limit is {4 * MAX_PICTURE_SIDE}. Cut it closer to a square first."
        )
    resized = resize_picture(picture, rows, cols, len(settings.mean))
    top, left = (rows - settings.crop) // 2, (cols - settings.crop) // 2
    cropped = resized[top : top + settings.crop, left : left + settings.crop]
    mean, deviation = (np.array(n, np.float32) for n in (settings.mean, settings.deviation))
    return PreprocessedPicture(resized, cropped, (cropped - mean) / deviation)
