"""Networks of timm."""

from pathlib import Path

import pytest
import timm

from tests.parity.comparison import check_file
from tests.parity.peer import random_network


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("resnet18", (64, 64)),
        ("resnet34", (75, 66)),
        ("resnet50", (96, 96)),
        ("resnet18d", (64, 96)),  # deep stem, and average pooling in the shortcuts
        ("resnet18d", (75, 66)),
    ],
)
def test_network(name: str, shape: tuple[int, int], tmp_path: Path) -> None:
    check_file(random_network(lambda: timm.create_model(name)), tmp_path, *shape)
