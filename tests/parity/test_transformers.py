"""Networks of transformers, narrower than the usual ones."""

from pathlib import Path
from typing import Any

import pytest
from transformers import ResNetConfig, ResNetForImageClassification

from explorer.model.checkpoint import Conventions
from tests.parity.comparison import check_file
from tests.parity.peer import random_network


def network(layer_type: str, **settings: Any) -> Any:
    """Return a network with random weights and 10 classes."""
    config = ResNetConfig(
        embedding_size=16,
        hidden_sizes=[32, 64, 128],
        depths=[2, 3, 2],
        layer_type=layer_type,
        num_labels=10,
        **settings,
    )
    return random_network(lambda: ResNetForImageClassification(config))


@pytest.mark.parametrize("layer_type", ["basic", "bottleneck"])
@pytest.mark.parametrize("shape", [(64, 64), (75, 66)])
def test_network(layer_type: str, shape: tuple[int, int], tmp_path: Path) -> None:
    check_file(network(layer_type), tmp_path, *shape)


@pytest.mark.parametrize("shape", [(64, 64), (75, 66)])
def test_stride_in_the_first_convolution(shape: tuple[int, int], tmp_path: Path) -> None:
    peer = network("bottleneck", downsample_in_bottleneck=True)
    check_file(peer, tmp_path, *shape, conventions=Conventions(stride_in="1x1"))
