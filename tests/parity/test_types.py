"""Files with 16-bit weights: the network is the one with the rounded weights."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision import models

from explorer import load_checkpoint
from tests.parity.comparison import ODD, TOLERANCE, check_forward, difference
from tests.parity.peer import picture, random_network, run


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_rounded_weights(dtype: torch.dtype, tmp_path: Path) -> None:
    peer = random_network(models.resnet18)
    image = picture(*ODD)
    exact = run(peer, image).logits
    state = peer.state_dict()
    rounded = {name: v.to(dtype) if v.is_floating_point() else v for name, v in state.items()}
    save_file(rounded, tmp_path / "rounded.safetensors")
    peer.load_state_dict(rounded)
    assert difference(run(peer, image).logits, exact) > TOLERANCE  # the test could tell
    check_forward(peer, load_checkpoint(tmp_path / "rounded.safetensors"), image)
