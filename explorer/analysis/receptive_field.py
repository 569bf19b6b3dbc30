"""The theoretical and the effective receptive field of a pixel."""

from dataclasses import dataclass

import numpy as np

from explorer.analysis.colour_limits import check_image
from explorer.errors import InputError, check_type
from explorer.model.spec import BlockSpec
from explorer.records import GradientSplit


def receptive_fields(spec: BlockSpec) -> dict[str, dict[str, int]]:
    """Return the theoretical receptive fields of a pixel of each stage.

    Returns:
        For each stage, the radius r by earlier stage, in pixels of that earlier stage: the
        pixel depends on the (2r+1)×(2r+1) window around its position there. Each 3×3
        convolution adds 1. At the borders the window is clipped.
    """
    layers, grids = check_type("spec", spec, BlockSpec).layers(), spec.grids()
    fields: dict[str, dict[str, int]] = {"x": {}}
    for stage, sources in spec.sources().items():
        radius = layers[stage].radius if stage in layers else 0
        fields[stage] = {}
        for source in sources:
            for earlier, inner in {**fields[source], source: 0}.items():
                total = inner + radius * grids[source].stride // grids[earlier].stride
                fields[stage][earlier] = max(total, fields[stage].get(earlier, 0))
    return fields


@dataclass(frozen=True)
class Influence:
    """The influence of each pixel of x on one pixel of out.

    `values` `(H, W)` are Σ over channels of |∂out/∂x|. `row`, `col` and `radius` are the centre
    and radius of the theoretical receptive field on x; `outside` is the fraction of the
    influence outside it, 0 … 1, NaN if there is no influence.
    """

    values: np.ndarray
    row: int
    col: int
    radius: int
    outside: float


def influence(split: GradientSplit) -> Influence:
    """Return the effective receptive field of the only value of out with a cotangent other than 0.

    Luo et al. 2016, *Understanding the Effective Receptive Field in Deep Convolutional
    Neural Networks*.
    """
    trace = check_image(check_type("split", split, GradientSplit).trace)
    spec, selected = trace.spec, np.argwhere(split.cotangent)
    if len(selected) != 1:
        raise InputError(
            f"The cotangent must single out one pixel of out and has {len(selected):,} that are "
            'not 0; make it with cotangent_of("pixel", …).'
        )
    row, col, _ = (int(at) for at in selected[0])
    grid, radius = spec.grids()["out"], receptive_fields(spec)["out"]["x"]
    row, col = grid.to_x(row), grid.to_x(col)
    values = np.abs(split.total.astype(np.float64)).sum(axis=2)
    rows, cols = np.ogrid[: values.shape[0], : values.shape[1]]
    is_outside = np.maximum(np.abs(rows - row), np.abs(cols - col)) > radius
    with np.errstate(invalid="ignore"):
        outside = float(values[is_outside].sum() / values.sum())
    return Influence(values, row, col, radius, outside)
