"""Networks of torchvision, at the size of ImageNet's pictures and in a batch."""

from pathlib import Path

from torchvision import models

from explorer import load_checkpoint
from tests.parity.comparison import ODD, check_file, check_forward
from tests.parity.peer import picture, random_network, save


def test_network(tmp_path: Path) -> None:
    check_file(random_network(models.resnet18), tmp_path, 224, 224)


def test_bottlenecks(tmp_path: Path) -> None:
    peer = random_network(models.resnet50)
    check_forward(peer, load_checkpoint(save(peer, tmp_path)), picture(224, 224))


def test_batch(tmp_path: Path) -> None:
    peer = random_network(models.resnet18)
    check_forward(peer, load_checkpoint(save(peer, tmp_path)), picture(2, *ODD))
