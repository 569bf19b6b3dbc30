"""What the variants change: their names by group, in the order in which they are offered."""

from collections.abc import Mapping
from types import MappingProxyType

# Every name of `VARIANTS` and of `relatives` but v1, which changes nothing.
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "skip": ("no_skip", "scaled_skip", "projection", "zero_pad"),
        "order": (
            "relu_before_add",
            "bn_after_add",
            "no_last_relu",
            "relu_only_preact",
            "full_preact",
        ),
        "norm": ("zero_gamma", "no_bn", "eval_untrained"),
        "shape": ("valid_padding", "wrong_channels"),
        "other": ("bottleneck", "transformer_mlp", "transformer_attention"),
    }
)
