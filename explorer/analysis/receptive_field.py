"""What a pixel was computed from: the theoretical and the effective receptive field."""

from dataclasses import dataclass

import numpy as np

from explorer.errors import InputError
from explorer.model.spec import BlockSpec
from explorer.records import GradientSplit


def receptive_fields(spec: BlockSpec) -> dict[str, dict[str, int]]:
    """Return what a pixel of each stage was computed from.

    Returns:
        For each stage, the stages before it and the radius r there, in pixels of that
        stage: the pixel depends on the (2r+1)×(2r+1) window around its own place. Each
        3×3 convolution adds 1. Near the borders the window is cut, where SAME padding
        put zeros.
    """
    layers, grids = spec.layers(), spec.grids()
    fields: dict[str, dict[str, int]] = {"x": {}}
    for stage, sources in spec.sources().items():
        radius = layers[stage].radius if stage in layers else 0
        fields[stage] = {}
        for source in sources:
            for past, more in {**fields[source], source: 0}.items():
                far = more + radius * grids[source].stride // grids[past].stride
                fields[stage][past] = max(far, fields[stage].get(past, 0))
    return fields


@dataclass(frozen=True)
class Influence:
    """How much each pixel of x moves one pixel of out, `(H, W)`: Σ over channels of |∂out/∂x|.

    `row`, `col` and `radius` are the middle and radius of the theoretical receptive field on x;
    `outside` is the part of the influence that lies outside it, 0 … 1, NaN without any.
    """

    values: np.ndarray
    row: int
    col: int
    radius: int
    outside: float


def influence(split: GradientSplit) -> Influence:
    """Return the effective receptive field of the one pixel of out that the cotangent singles out.

    Luo et al. 2016, *Understanding the Effective Receptive Field in Deep Convolutional
    Neural Networks*.
    """
    spec, places = split.trace.spec, np.argwhere(split.cotangent)
    if len(places) != 1:
        raise InputError(
            f"The cotangent must single out one pixel of out and has {len(places):,} that are "
            'not 0; make it with cotangent_of("pixel", …).'
        )
    row, col, _ = (int(at) for at in places[0])
    grid, radius = spec.grids()["out"], receptive_fields(spec)["out"]["x"]
    row, col = grid.to_x(row), grid.to_x(col)
    values = np.abs(split.total.astype(np.float64)).sum(axis=2)
    rows, cols = np.ogrid[: values.shape[0], : values.shape[1]]
    is_outside = np.maximum(np.abs(rows - row), np.abs(cols - col)) > radius
    with np.errstate(invalid="ignore"):
        outside = float(values[is_outside].sum() / values.sum())
    return Influence(values, row, col, radius, outside)
