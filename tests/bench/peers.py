"""The same block and network in PyTorch, in a separate process.

The block is traced by hooks and by torchlens, the network is trained. It runs in the environment
of `tests/bench/requirements.txt`, without the explorer. Each line of its input is a JSON request,
`{"height", "channels", "rounds"}` for the block, `{"blocks", "rounds"}` for the network and
`{"file", "side", "rounds"}` for ResNet-18 with the weights of a safetensors file; each line of its
output is `{peer: [milliseconds, …]}`, after a first line with the versions.
"""

import json
import sys
import time

import torch
import torchlens
from safetensors.torch import load_file
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


class Network(nn.Module):
    """Stem, blocks, global average pooling and linear head, for pictures with one channel."""

    def __init__(self, blocks: int, width: int = 8, classes: int = 10) -> None:
        super().__init__()
        stem = nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()
        self.stem = nn.Sequential(*stem)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.head = nn.Linear(width, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.stem(images)).mean((2, 3)))


class ResNetBlock(nn.Module):
    """A basic block, with a projection on its shortcut where the shape changes."""

    def __init__(self, channels: int, features: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, features, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(features)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(features, features, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(features)
        self.downsample = nn.Sequential()
        if channels != features:
            projection = nn.Conv2d(channels, features, 1, stride, bias=False)
            self.downsample = nn.Sequential(projection, nn.BatchNorm2d(features))
        self.add = nn.Identity()
        self.out = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        residual = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.out(self.add(residual + self.downsample(x)))


class ResNet18(nn.Module):
    """ResNet-18 for ImageNet, with torchvision's names of tensors."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)

        def stage(channels: int, features: int, stride: int) -> nn.Sequential:
            first = ResNetBlock(channels, features, stride)
            return nn.Sequential(first, ResNetBlock(features, features, 1))

        self.layer1, self.layer2 = stage(64, 64, 1), stage(64, 128, 2)
        self.layer3, self.layer4 = stage(128, 256, 2), stage(256, 512, 2)
        self.fc = nn.Linear(512, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def add_hooks(module: nn.Module) -> None:
    """Add forward hooks that store the output of every layer as a NumPy array."""
    stages = {}
    layers = {name: layer for name, layer in module.named_modules() if not list(layer.children())}
    for name, layer in layers.items():
        layer.register_forward_hook(
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


def training_calls(blocks: int, batch: int = 128) -> dict:
    """Return the function that does one training step, by name."""
    network = Network(blocks)
    images, labels = torch.randn(batch, 1, 8, 8), torch.randint(0, 10, (batch,))
    optimiser = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)

    def step() -> None:
        with torch.enable_grad():
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(images), labels).backward()
        optimiser.step()

    return {"PyTorch": step}


def checkpoint_calls(file: str, side: int) -> dict:
    """Return the functions that trace ResNet-18 in eval mode, by name."""
    state = load_file(file)

    def network() -> ResNet18:
        found = ResNet18().eval()
        found.load_state_dict(state)
        return found

    x = torch.randn(1, 3, side, side)
    x_last = x.to(memory_format=torch.channels_last)
    hooked, hooked_last, traced = network(), network(), network()
    hooked_last = hooked_last.to(memory_format=torch.channels_last)
    add_hooks(hooked)
    add_hooks(hooked_last)
    return {
        "PyTorch with hooks": lambda: hooked(x),
        "PyTorch with hooks, channels last": lambda: hooked_last(x_last),
        "torchlens": lambda: torchlens.trace(traced, x),
    }


def calls_of(request: dict) -> dict:
    """Return the functions that a request asks for, by name."""
    if "blocks" in request:
        return training_calls(**request)
    return checkpoint_calls(**request) if "file" in request else calls(**request)


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
            rounds = request.pop("rounds")
            if shape != request:
                shape = request
                functions = calls_of(shape)
                for call in functions.values():
                    call()
            answer = {
                name: measure(call, 1 + rounds // 10 if name == "torchlens" else rounds)
                for name, call in functions.items()
            }
            print(json.dumps(answer), flush=True)
