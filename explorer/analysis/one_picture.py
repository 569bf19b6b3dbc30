"""Checks of a network's trace."""

from explorer.errors import InputError, check_type
from explorer.records import BlockTrace, NetworkTrace


def check_one_picture(trace: NetworkTrace) -> NetworkTrace:
    """Return the trace; InputError unless it is a network's trace of one picture."""
    if check_type("trace", trace, NetworkTrace).images.ndim == 4:
        raise InputError(
            f"trace must be of one picture, got that of a batch of {len(trace.images)}; use "
            "trace.image(n) for picture n of the batch."
        )
    return trace


def first_block(trace: NetworkTrace) -> BlockTrace:
    """Return the first block's trace; InputError unless the trace is of one picture and a block."""
    for block in check_one_picture(trace).blocks.values():
        return block
    raise InputError("trace must have at least one block, got a network of stem and head.")
