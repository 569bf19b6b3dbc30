"""Small checkpoints with the values that an independent implementation expects of them."""

from functools import cache

import numpy as np
from safetensors.numpy import save

from explorer import Network, load_checkpoint
from tests.checkpoints import Architecture, State, run_network, state_of

Stages = dict[str, dict[str, np.ndarray]]
Arrays = dict[str, np.ndarray]

BASIC = Architecture(blocks=(1, 1))
BOTTLENECK = Architecture(blocks=(1, 1), bottleneck=True, stem="3x3", max_pool=False)
ZEROS = Architecture(blocks=(1, 1), shortcut="zeros", stem="3x3", max_pool=False)
PICTURE = np.random.default_rng(1).standard_normal((18, 16, 3), dtype=np.float32)


@cache
def network_of(net: Architecture) -> Network:
    return load_checkpoint(save(state_of(net)))


def oracle(net: Architecture, picture: np.ndarray = PICTURE, state: State | None = None) -> Arrays:
    """Return all stages after x as PyTorch has them, (1, C, H, W)."""
    return flat(run_network(net, state or state_of(net), picture))


def flat(stages: Stages) -> Arrays:
    logits = stages["head"]["logits"][np.newaxis]
    maps = {
        f"{part}.{stage}": np.moveaxis(value, -1, 0)[np.newaxis]
        for part, values in stages.items()
        for stage, value in values.items()
        if part != "head" and stage != "x"
    }
    return maps | {"logits": logits}
