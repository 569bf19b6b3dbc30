"""The map of each stage in one channel, and the limit of its colours."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np

from explorer.errors import InputError, check_choice, check_integer, check_type
from explorer.records import ONE_IMAGE, BlockTrace, Magnitude, measure

Scope = Literal["block", "stage", "map"]
Maps = Mapping[str, np.ndarray]  # without the stages that do not have the selected channel


def channels(*traces: BlockTrace) -> int:
    """Return the largest number of channels of any stage."""
    for trace in traces:
        check_image(trace)
    return max(stage.shape[2] for trace in traces for stage in trace.stages.values())


def check_image(trace: BlockTrace) -> BlockTrace:
    """Return the trace; InputError unless it is a trace of one image."""
    if check_type("trace", trace, BlockTrace).is_batch:
        raise InputError(ONE_IMAGE)
    return trace


def check_channel(channel: float | None, *traces: BlockTrace) -> int | None:
    """Return `channel` as an int or None.

    Raises:
        InputError: no stage has this channel, or a trace is of a batch.
    """
    last = channels(*traces) - 1
    return None if channel is None else check_integer("channel", channel, 0, last)


def stage_maps(trace: BlockTrace, channel: int | None) -> dict[str, np.ndarray]:
    """Return `(h, w)` maps of the stages with this channel, or means over channels for None."""
    check_image(trace)
    if channel is None:
        return {stage: trace[stage].mean(axis=2) for stage in trace.stages}
    channel = check_integer("channel", channel, 0, None)
    return {
        stage: np.ascontiguousarray(values[:, :, channel])
        for stage, values in trace.stages.items()
        if channel < values.shape[2]
    }


def colour_limits(
    traces: Sequence[BlockTrace], maps: Sequence[Maps], scope: Scope, channel: int | None
) -> dict[str, float]:
    """Return the colour limit of each stage's panel: min(max |v|, 3·RMS), or 1 where all v are 0.

    `v` runs over all stages and channels of all traces for scope "block", over all
    channels of the stages of one name for "stage", and over the shown maps of one name
    for "map". The mean over channels (`channel` None) always has a limit of its own.
    """
    check_choice("scope", scope, get_args(Scope))
    magnitudes: dict[str, list[Magnitude]] = {}
    for trace, trace_maps in zip(traces, maps, strict=True):
        found: Mapping[str, Magnitude] = trace.magnitudes
        if channel is None or scope == "map":
            found = {stage: measure(values) for stage, values in trace_maps.items()}
        for stage, magnitude in found.items():
            magnitudes.setdefault(stage, []).append(magnitude)
    if scope == "block":
        shared = limit_of(*(each for some in magnitudes.values() for each in some))
        return dict.fromkeys(magnitudes, shared)
    return {stage: limit_of(*some) for stage, some in magnitudes.items()}


def limit_of(*magnitudes: Magnitude) -> float:
    """Return min(max |v|, 3·RMS) over arrays of these magnitudes; 1 if all values are 0."""
    count = sum(each.count for each in magnitudes)
    if count == 0:
        return 1.0
    rms = (sum(each.squares for each in magnitudes) / count) ** 0.5
    return min(max(each.largest for each in magnitudes), 3 * rms) or 1.0
