"""The same block in PyTorch, traced by hooks and by torchlens, in a process of its own.

It runs in the environment of `tests/bench/requirements.txt` and knows nothing of the
explorer. Each line that it reads is a JSON request `{"height", "channels", "rounds"}`;
each line that it prints is `{peer: [milliseconds, …]}`.
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


def hooked(block: Block) -> dict:
    """Keeps every stage's output as a NumPy array, as it is made."""
    kept = {}
    for name, module in block.named_children():
        module.register_forward_hook(
            lambda _, __, output, name=name: kept.__setitem__(name, output.numpy())
        )
    return kept


def calls(height: int, channels: int) -> dict:
    x = torch.randn(1, channels, height, height)
    last = x.to(memory_format=torch.channels_last)
    plain, hooks = Block(channels), Block(channels)
    layout = Block(channels).to(memory_format=torch.channels_last)
    hooked(hooks)
    hooked(layout)
    lens = Block(channels)
    return {
        "PyTorch, the two convolutions": lambda: plain.conv2(plain.conv1(x)),
        "PyTorch, the two convolutions, channels last": lambda: layout.conv2(layout.conv1(last)),
        "PyTorch with hooks": lambda: hooks(x),
        "PyTorch with hooks, channels last": lambda: layout(last),
        "torchlens": lambda: torchlens.trace(lens, x),
    }


def timed(call, rounds: int) -> list:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return times


if __name__ == "__main__":
    versions = {"torch": torch.__version__, "torchlens": torchlens.__version__}
    print(json.dumps(versions), flush=True)
    shape, made = None, {}
    with torch.no_grad():
        for line in sys.stdin:
            request = json.loads(line)
            if shape != (request["height"], request["channels"]):
                shape = request["height"], request["channels"]
                made = calls(*shape)
                for call in made.values():
                    call()
            slow = 1 + request["rounds"] // 10
            answer = {
                name: timed(call, slow if name == "torchlens" else request["rounds"])
                for name, call in made.items()
            }
            print(json.dumps(answer), flush=True)
