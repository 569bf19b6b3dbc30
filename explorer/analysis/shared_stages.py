"""The stages that a block and its variant share: equal bit by bit."""

import numpy as np

from explorer.errors import check_type
from explorer.records import BlockTrace


def shared_stages(reference: BlockTrace, variant: BlockTrace) -> tuple[str, ...]:
    """Return the stages that hold the same values in both traces, in dataflow order.

    NaN equals NaN. Stages are compared by name, over all channels.

    Raises:
        InputError: an argument is not a BlockTrace.
    """
    check_type("reference", reference, BlockTrace)
    check_type("variant", variant, BlockTrace)
    return tuple(
        stage
        for stage in reference.stages
        if stage in variant.stages
        and np.array_equal(reference[stage], variant[stage], equal_nan=True)
    )
