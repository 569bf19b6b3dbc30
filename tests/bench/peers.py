"""The same block in PyTorch, traced by hooks and by torchlens, in a separate process.

It runs in the environment of `tests/bench/requirements.txt`, without the explorer. Each line of
its input is a JSON request `{"height", "channels", "rounds"}`; each line of its output is
`{peer: [milliseconds, …]}`, after a first line with the versions.
"""

import json
import sys
import time

import torch
import torchlens
from torch import nn


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.add = nn.Identity()
        self.out = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        residual = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.out(self.add(residual + x))


def add_hooks(block: Block) -> None:
    """Add forward hooks that store every stage's output as a NumPy array."""
    stages = {}
    for name, module in block.named_children():
        module.register_forward_hook(
            lambda _, __, output, name=name: stages.__setitem__(name, output.numpy())
        )


def calls(height: int, channels: int) -> dict:
    """Return the functions to measure, by name."""
    x = torch.randn(1, channels, height, height)
    x_last = x.to(memory_format=torch.channels_last)
    bare, hooked, traced = Block(channels), Block(channels), Block(channels)
    hooked_last = Block(channels).to(memory_format=torch.channels_last)
    add_hooks(hooked)
    add_hooks(hooked_last)
    return {
        "PyTorch, convolutions only": lambda: bare.conv2(bare.conv1(x)),
        "PyTorch, convolutions only, channels last": lambda: hooked_last.conv2(
            hooked_last.conv1(x_last)
        ),
        "PyTorch with hooks": lambda: hooked(x),
        "PyTorch with hooks, channels last": lambda: hooked_last(x_last),
        "torchlens": lambda: torchlens.trace(traced, x),
    }


def measure(call, rounds: int) -> list:
    """Return the milliseconds of each of `rounds` calls."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return times


if __name__ == "__main__":
    versions = {"torch": torch.__version__, "torchlens": torchlens.__version__}
    print(json.dumps(versions), flush=True)
    shape, functions = None, {}
    with torch.no_grad():
        for line in sys.stdin:
            request = json.loads(line)
            if shape != (request["height"], request["channels"]):
                shape = request["height"], request["channels"]
                functions = calls(*shape)
                for call in functions.values():
                    call()
            rounds = request["rounds"]
            answer = {
                name: measure(call, 1 + rounds // 10 if name == "torchlens" else rounds)
                for name, call in functions.items()
            }
            print(json.dumps(answer), flush=True)
