"""How many values the stages of a network have for pictures of a size."""

from collections.abc import Iterable, Iterator

import numpy as np

from explorer.model.weights import Model


def stage_values(models: Iterable[Model], height: int, width: int) -> Iterator[dict[str, int]]:
    """Yield, for every block in order, the number of values of each stage, for one picture.

    Args:
        models: the stem and the blocks, each of which runs on the output of the one before.
        height, width: of a picture.
    """
    for model in models:
        grids, widths = model.spec.grids(), model.spec.widths(model.features)
        # Convolutions and poolings with stride s leave every s-th row, the first one included.
        sizes = {
            name: (-(-height // grid.stride), -(-width // grid.stride))
            for name, grid in grids.items()
        }
        yield {name: int(np.prod(sizes[name])) * widths[name] for name in grids}
        height, width = sizes["out"]
