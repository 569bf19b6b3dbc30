"""ResNet-20 for CIFAR-10, whose shortcuts have no weights."""

from pathlib import Path

import pytest

from explorer.model.checkpoint import Conventions
from tests.parity.cifar import ResNet20, ZeroChannels
from tests.parity.comparison import check_file
from tests.parity.peer import random_network


@pytest.mark.parametrize("zeros", ["around", "after"])
def test_zero_padding(zeros: ZeroChannels, tmp_path: Path) -> None:
    peer = random_network(lambda: ResNet20(zeros))
    check_file(peer, tmp_path, 35, 30, conventions=Conventions(zero_channels=zeros))


def test_epsilon(tmp_path: Path) -> None:
    peer = random_network(lambda: ResNet20("around", epsilon=1e-3))
    check_file(peer, tmp_path, 32, 32, conventions=Conventions(epsilon=1e-3))
