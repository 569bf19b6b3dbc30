"""Expected values of a stage, and their difference from values found."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.engine.expected_record import StageDifference
from explorer.errors import InputError, check_array, describe
from explorer.inputs.limits import format_shape
from explorer.model.network import STEM
from explorer.model.safetensors_header import printable_name
from explorer.records import BlockTrace, NetworkTrace

LOGITS = "logits"
# What a shortcut's modules are called by torchvision, the widespread CIFAR code and transformers.
SHORTCUT = re.compile(r"(.+)\.(?:downsample|shortcut)(?:\.([0-2]|convolution|normalization))?")


@dataclass(frozen=True, eq=False)
class ExpectedStage:
    """Expected values of a stage.

    Attributes:
        name: as it was given.
        part: "stem", the block, or "logits".
        stage: the stage in it; "logits" for logits.
        arrays: layout, and the values as float64 `(H, W, C)` or `(classes,)`, for every order of
            axes that their shape allows.
    """

    name: str
    part: str
    stage: str
    arrays: tuple[tuple[str, np.ndarray], ...]

    def difference(self, found: np.ndarray) -> StageDifference:
        """Return the difference from values found, in the order of axes with the smaller one."""
        each = [self._difference(layout, array, found) for layout, array in self.arrays]
        return min(each, key=lambda difference: difference.relative)

    def _difference(self, layout: str, expected: np.ndarray, found: np.ndarray) -> StageDifference:
        note = ""
        if len(self.arrays) > 1 and all(array.shape == found.shape for _, array in self.arrays):
            note = "The shape allows NHWC and NCHW; the one with the smaller difference is used."
        largest, at, values = np.inf, None, (np.nan, np.nan)
        if expected.shape == found.shape:
            with np.errstate(invalid="ignore", over="ignore"):
                gap = np.abs(found.astype(np.float64) - expected)
            gap[~np.isfinite(gap)] = np.inf
            at = tuple(int(index) for index in np.unravel_index(gap.argmax(), gap.shape))
            largest, values = float(gap[at]), (float(found[at]), float(expected[at]))
        scale = float(np.abs(expected).max())
        relative = largest / scale if scale else (0.0 if largest == 0 else np.inf)
        return StageDifference(
            name=self.name,
            layout=layout,
            note=note,
            largest=largest,
            position=at,
            found=values[0],
            expected=values[1],
            relative=relative,
            shape=expected.shape,
        )


def read_stages(expected: Any, trace: NetworkTrace) -> list[ExpectedStage]:
    """Return the expected values of a network's stages, in dataflow order.

    Args:
        expected: arrays by name, as for `compare_with_expected`.
        trace: of the network.

    Raises:
        InputError: a name is unknown, or its array is not of real numbers, has other channels than
            the stage, or holds NaN or infinite values.
    """
    if not isinstance(expected, Mapping) or not expected:
        raise InputError(
            "expected must be a dict of arrays by the names of stages, with at least one; got "
            f"{describe(expected)}."
        )
    parts = {STEM: trace.stem, **trace.blocks}
    order = [(part, stage) for part, each in parts.items() for stage in each.spec.stages()]
    order.append((LOGITS, LOGITS))
    found = []
    for name, value in expected.items():
        part, stage = _place(name, parts)
        array = _checked(name, value)
        if part == LOGITS:
            arrays = _as_logits(name, array, trace.logits.shape)
        else:
            arrays = _as_maps(name, array, parts[part][stage].shape)
        found.append(ExpectedStage(name, part, stage, arrays))
    return sorted(found, key=lambda each: order.index((each.part, each.stage)))


def _place(name: Any, parts: Mapping[str, BlockTrace]) -> tuple[str, str]:
    if isinstance(name, str):
        if name == LOGITS:
            return LOGITS, LOGITS
        if name in parts:
            return name, "out"
        part, stage = _of_shortcut(name, parts) or name.rpartition(".")[::2]
        if part in parts:
            if stage in parts[part].stages:
                return part, stage
            raise InputError(
                f"expected names {printable_name(name)}, and {part} has no such stage; its stages "
                f"are {', '.join(parts[part].stages)}."
            )
    given = printable_name(name) if isinstance(name, str) else describe(name)
    last = list(parts)[-1]
    raise InputError(
        f"expected names {given}, which the network does not have; a name is {STEM}, {LOGITS}, a "
        f"block, from {list(parts)[1]} to {last}, or one of their stages, such as {last}.bn2."
    )


def _of_shortcut(name: str, parts: Mapping[str, BlockTrace]) -> tuple[str, str] | None:
    """Return block and stage of a module of a shortcut, as hooks name it; None for other names."""
    match = SHORTCUT.fullmatch(name)
    if match is None or match[1] not in parts:
        return None
    part, module = match.groups()
    stages = [stage for stage, _ in parts[part].spec.shortcut or ()]
    if module is None:
        return (part, stages[-1]) if stages else None
    # Where shortcuts pool, the other modules keep their numbers in blocks without a stride.
    pools = any("pool" in each.stages for each in parts.values())
    names = ["pool", "proj", "bn_proj"] if pools else ["proj", "bn_proj", ""]
    found = dict(zip("012", names, strict=True), convolution="proj", normalization="bn_proj")
    return part, found[module]


def _checked(name: str, value: Any) -> np.ndarray:
    array = check_array(f"expected[{describe(name)}]", value)
    with np.errstate(over="ignore", invalid="ignore"):
        values = array.astype(np.float64)
    if not np.isfinite(values).all():
        what = "NaN" if np.isnan(values).any() else "infinite values"
        raise InputError(
            f"The expected values of {name} have {what}; expected finite numbers: leave this stage "
            "out."
        )
    return values


def _as_logits(
    name: str, array: np.ndarray, shape: tuple[int, ...]
) -> tuple[tuple[str, np.ndarray], ...]:
    if array.shape not in (shape, (1, *shape)):
        raise wrong_shape(name, array.shape, shape)
    return (("NC", array.reshape(shape)),)


def _as_maps(
    name: str, array: np.ndarray, shape: tuple[int, ...]
) -> tuple[tuple[str, np.ndarray], ...]:
    """Return an array as maps; rows and columns may differ from `shape` if channels do not."""
    maps = array[0] if array.ndim == 4 and len(array) == 1 else array
    if maps.ndim != 3:
        raise wrong_shape(name, array.shape, shape)
    candidates = ("NCHW", np.moveaxis(maps, 0, -1)), ("NHWC", maps)
    fitting = tuple(each for each in candidates if each[1].shape == shape)
    if not fitting:
        fitting = tuple(each for each in candidates if each[1].shape[-1] == shape[-1])
    if not fitting:
        raise wrong_shape(name, array.shape, shape)
    return fitting


def wrong_shape(name: str, given: tuple[int, ...], shape: tuple[int, ...]) -> InputError:
    """Return the error of expected values that do not fit a stage of `shape`."""
    legal = format_shape(shape)
    if len(shape) == 3:
        height, width, channels = shape
        legal = f"{legal} (rows, columns, channels) or {channels}×{height}×{width}"
    return InputError(
        f"The expected values of {name} have shape {format_shape(given)}; expected {legal}, with "
        "or without one axis of size 1 before: pass those of one picture, the one that was given."
    )
