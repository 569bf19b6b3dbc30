"""Changes of one step in a block of any shape, such as those of a checkpoint."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from explorer.errors import check_type
from explorer.model.layers import ReLU
from explorer.model.spec import BlockSpec
from explorer.model.variants import V1, VARIANTS


def relatives(spec: BlockSpec) -> Mapping[str, BlockSpec]:
    """Return the blocks that differ from a residual block in one step, by name.

    A block with the stages of the basic block has the variants of `VARIANTS`; any other, such as
    a bottleneck or a block with a projection, has those that keep its shapes.

    Raises:
        InputError: `spec` is not a BlockSpec.
    """
    check_type("spec", spec, BlockSpec)
    if spec.stages() == V1.stages():
        return VARIANTS
    changes = {"no_skip": {"shortcut": None}, "no_last_relu": {"after": ()}}
    changes["relu_before_add"] = {
        "branch": (*spec.branch, (f"relu_{spec.residual}", ReLU())),
        "after": (),
    }
    found = {}
    for name, change in changes.items():
        if name in VARIANTS:
            words = VARIANTS[name].title, VARIANTS[name].description, VARIANTS[name].source
        else:
            words = (
                "No ReLU after the addition",
                "The sum is the output: nothing after it zeroes the identity.",
                "He et al. 2016, Sec. 3, whose pre-activation blocks end with the addition",
            )
        title, description, source = words
        found[name] = replace(spec, title=title, description=description, source=source, **change)
    return MappingProxyType(found)
