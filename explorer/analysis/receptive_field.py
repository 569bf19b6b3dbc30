"""The theoretical and the effective receptive field of a pixel."""

from dataclasses import dataclass

import numpy as np

from explorer.analysis.colour_limits import check_image
from explorer.errors import InputError, check_type
from explorer.model.spec import BlockSpec
from explorer.records import GradientSplit


def receptive_fields(spec: BlockSpec) -> dict[str, dict[str, tuple[int, int]]]:
    """Return the theoretical receptive fields of a pixel of each stage.

    Returns:
        For each stage, how far its fields extend before and after the pixel's position, by earlier
        stage and in pixels of that earlier stage: with (a, b), a pixel at row and column p
        depends on rows and columns p − a to p + b. Each 3×3 convolution adds 1 to both; a pooled
        tile begins at its position. At the borders the window is clipped.
    """
    layers, grids = check_type("spec", spec, BlockSpec).layers(), spec.grids()
    fields: dict[str, dict[str, tuple[int, int]]] = {"x": {}}
    for stage, sources in spec.sources().items():
        reach = layers[stage].reach if stage in layers else (0, 0)
        fields[stage] = {}
        for source in sources:
            for earlier, inner in {**fields[source], source: (0, 0)}.items():
                step = grids[source].stride // grids[earlier].stride
                other = fields[stage].get(earlier, (0, 0))
                before, after = (
                    max(inner[side] + reach[side] * step, other[side]) for side in (0, 1)
                )
                fields[stage][earlier] = before, after
    return fields


@dataclass(frozen=True)
class Influence:
    """The influence of each pixel of x on one pixel of out.

    `values` `(H, W)` are Σ over channels of |∂out/∂x|. `row`, `col` and `radius` are the centre
    and radius of the theoretical receptive field on x, or of the smallest square around it;
    `outside` is the fraction of the influence outside that, 0 … 1, NaN if there is no influence.
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
    grid, radius = spec.grids()["out"], max(receptive_fields(spec)["out"]["x"])
    row, col = grid.to_x(row), grid.to_x(col)
    values = np.abs(split.total.astype(np.float64)).sum(axis=2)
    rows, cols = np.ogrid[: values.shape[0], : values.shape[1]]
    is_outside = np.maximum(np.abs(rows - row), np.abs(cols - col)) > radius
    with np.errstate(invalid="ignore"):
        outside = float(values[is_outside].sum() / values.sum())
    return Influence(values, row, col, radius, outside)
