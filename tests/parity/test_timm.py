"""Networks of timm."""

from pathlib import Path

import pytest
import timm

from explorer import load_checkpoint
from tests.parity.comparison import ODD, check_file, check_forward
from tests.parity.peer import picture, random_network, save


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet18d"])
def test_network(name: str, tmp_path: Path) -> None:
    check_file(random_network(lambda: timm.create_model(name)), tmp_path, *ODD)


def test_average_pooling_of_even_sizes(tmp_path: Path) -> None:
    peer = random_network(lambda: timm.create_model("resnet18d"))
    check_forward(peer, load_checkpoint(save(peer, tmp_path)), picture(64, 96))
