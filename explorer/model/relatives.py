"""Changes of one step in a block of any shape, such as those of a checkpoint."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from explorer.errors import check_type
from explorer.model.layers import ReLU
from explorer.model.spec import BlockSpec
from explorer.model.variants import V1, VARIANTS

_NO_LAST_RELU = replace(
    V1,
    title="No ReLU after the addition",
    description="The sum is the output: nothing after it zeroes the identity.",
    source="He et al. 2016, Sec. 3, whose pre-activation blocks end with the addition",
    after=(),
)


def relatives(spec: BlockSpec) -> Mapping[str, BlockSpec]:
    """Return the blocks that differ from a residual block in one step, by name.

    The variants of `VARIANTS`, and blocks with the stages of the basic block, have all of these;
    any other, such as a bottleneck or a block with a projection, has those that keep its shapes.

    Raises:
        InputError: `spec` is not a BlockSpec.
    """
    check_type("spec", spec, BlockSpec)
    if spec.stages() == V1.stages() or spec.key in {each.key for each in VARIANTS.values()}:
        return VARIANTS
    relu = (f"relu_{spec.residual}", ReLU())
    changed = {
        "no_skip": replace(spec, shortcut=None),
        "relu_before_add": replace(spec, branch=(*spec.branch, relu), after=()),
        "no_last_relu": replace(spec, after=()),
    }
    found = {}
    for name, block in changed.items():
        words = VARIANTS.get(name, _NO_LAST_RELU)
        found[name] = replace(
            block, title=words.title, description=words.description, source=words.source
        )
    return MappingProxyType(found)
