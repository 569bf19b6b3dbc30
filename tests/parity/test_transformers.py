"""Networks of transformers, without the last stage of the usual ones."""

from pathlib import Path
from typing import Any

import pytest
from transformers import ResNetConfig, ResNetForImageClassification

from explorer.model.checkpoint import Conventions
from tests.parity.comparison import ODD, check_file
from tests.parity.peer import random_network

WIDTHS = {"basic": [64, 128, 256], "bottleneck": [256, 512, 1024]}


def network(layer_type: str, **settings: Any) -> Any:
    """Return a network with random weights, three stages and 10 classes."""
    config = ResNetConfig(
        layer_type=layer_type,
        hidden_sizes=WIDTHS[layer_type],
        depths=[1, 2, 2],
        num_labels=10,
        **settings,
    )
    return random_network(lambda: ResNetForImageClassification(config))


@pytest.mark.parametrize("layer_type", WIDTHS)
def test_network(layer_type: str, tmp_path: Path) -> None:
    check_file(network(layer_type), tmp_path, *ODD)


def test_stride_in_the_first_convolution(tmp_path: Path) -> None:
    peer = network("bottleneck", downsample_in_bottleneck=True)
    check_file(peer, tmp_path, *ODD, conventions=Conventions(stride_in="1x1"))
