"""A torch network with random weights, what its hooks see, and its file."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

BLOCK = re.compile(r"(?:^|\.)(layer\d+\.\d+|stages\.\d+\.layers\.\d+)$")


@dataclass(frozen=True)
class Run:
    """One run of a torch network in eval mode, channels last, without N for one picture.

    Attributes:
        blocks: for every block, by its name, the stages `x`, F(x) as `bn2` or `bn3`, `add` and
            `out`.
        logits: `(classes,)` or `(N, classes)`.
        gradient: of one logit by the picture, `(H, W, 3)`; None if no label was given.
    """

    blocks: Mapping[str, Mapping[str, np.ndarray]]
    logits: np.ndarray
    gradient: np.ndarray | None


def picture(*shape: int, seed: int = 0) -> np.ndarray:
    """Return a picture `(H, W, 3)` of noise, or a batch `(N, H, W, 3)`."""
    return np.random.default_rng(seed).standard_normal((*shape, 3), dtype=np.float32)


def random_network(make: Callable[[], Any], seed: int = 0) -> Any:
    """Return a network in eval mode whose weights and running statistics are all random."""
    torch.manual_seed(seed)
    network = make()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def save(network: Any, folder: Path) -> Path:
    """Write the network's state to a `.safetensors` file and return its path."""
    path = folder / "network.safetensors"
    save_file(network.state_dict(), path)
    return path


def run(network: Any, pictures: np.ndarray, label: int | None = None) -> Run:
    """Run a network on a picture `(H, W, 3)`, or on a batch, with hooks on every block."""
    single = pictures.ndim == 3
    batch = pictures[np.newaxis] if single else pictures

    def array(tensor: Any) -> np.ndarray:
        last = tensor.detach().movedim(1, -1).contiguous().numpy().copy()
        return last[0] if single else last

    blocks: dict[str, dict[str, np.ndarray]] = {}
    hooks = []
    for path, module in network.named_modules():
        if match := BLOCK.search(path):
            blocks[match[1]] = {}
            hooks += _add_hooks(module, blocks[match[1]], array)
    images = torch.tensor(batch.transpose(0, 3, 1, 2), requires_grad=label is not None)
    with torch.set_grad_enabled(label is not None):
        output = network(images)
        logits = getattr(output, "logits", output)
    for hook in hooks:
        hook.remove()
    gradient = None
    if label is not None:
        gradient = array(torch.autograd.grad(logits[:, label].sum(), images)[0])
    return Run(blocks, array(logits), gradient)


def _add_hooks(
    block: Any, stages: dict[str, np.ndarray], array: Callable[[Any], np.ndarray]
) -> list[Any]:
    """Store the block's input, F(x), sum and output in `stages` when it runs."""
    if hasattr(block, "layer"):  # transformers
        name, residual = f"bn{len(block.layer)}", block.layer[-1].normalization
    else:
        name = "bn3" if hasattr(block, "conv3") else "bn2"
        residual = getattr(block, name)

    def store(stage: str, tensor: Any) -> None:
        stages[stage] = array(tensor)

    # The last ReLU to run is the one after the sum; torchvision uses one module for all.
    relus = [module for module in block.modules() if isinstance(module, nn.ReLU)]
    return [
        block.register_forward_pre_hook(lambda _, inputs: store("x", inputs[0])),
        residual.register_forward_hook(lambda _, __, output: store(name, output)),
        *(relu.register_forward_pre_hook(lambda _, i: store("add", i[0])) for relu in relus),
        block.register_forward_hook(lambda _, __, output: store("out", output)),
    ]
