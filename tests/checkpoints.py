"""Small checkpoints with torchvision's names, and an oracle that runs them in NumPy loops.

The oracle knows the architecture from `Architecture` alone and imports nothing of the explorer.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests import reference

State = dict[str, np.ndarray]
Settings = dict[str, Any]  # what shapes do not tell, by the names of the explorer's conventions


@dataclass(frozen=True)
class Architecture:
    """What a network is made of; `widths` are those of the 3×3 convolutions of every stage."""

    blocks: tuple[int, ...] = (2, 1)
    widths: tuple[int, ...] = (4, 6)
    strides: tuple[int, ...] = (1, 2)
    bottleneck: bool = False
    stem: str = "7x7"  # or "3x3", "deep"
    max_pool: bool = True
    shortcut: str = "projection"  # or "pooled", "zeros"
    zero_channels: str = "around"
    stride_in: str = "3x3"
    bias: bool = False
    epsilon: float = 1e-5
    channels: int = 3

    @property
    def convolutions(self) -> list[tuple[int, int]]:
        """Size and factor of the width of each convolution of a block."""
        return [(1, 1), (3, 1), (1, 4)] if self.bottleneck else [(3, 1), (3, 1)]

    def strides_of_block(self, stride: int) -> list[int]:
        if not self.bottleneck:
            return [stride, 1]
        return [stride, 1, 1] if self.stride_in == "1x1" else [1, stride, 1]

    @property
    def stem_layers(self) -> list[tuple[str, str, int, int, int]]:
        """Names of convolution and norm, size, stride and width of the stem's convolutions."""
        width = self.widths[0]
        if self.stem == "deep":
            first = [("conv1.0", "conv1.1", 3, 2, 3), ("conv1.3", "conv1.4", 3, 1, 3)]
            return [*first, ("conv1.6", "bn1", 3, 1, width)]
        return [("conv1", "bn1", *((7, 2) if self.stem == "7x7" else (3, 1)), width)]

    def places(self) -> list[tuple[str, int, int]]:
        """Name, width and stride of every block."""
        found = []
        for stage, (count, width) in enumerate(zip(self.blocks, self.widths, strict=True)):
            for index in range(count):
                stride = self.strides[stage] if index == 0 else 1
                found.append((f"layer{stage + 1}.{index}", width, stride))
        return found


RESNET18 = Architecture((2, 2, 2, 2), (64, 128, 256, 512), (1, 2, 2, 2))
CIFAR = Architecture(stem="3x3", max_pool=False)
NETWORKS: dict[str, tuple[Architecture, Settings]] = {
    "basic": (Architecture(), {}),
    "bottleneck": (Architecture(bottleneck=True), {}),
    "bottleneck, stride in the first": (
        Architecture(blocks=(1, 1), bottleneck=True, stride_in="1x1"),
        {"stride_in": "1x1"},
    ),
    "CIFAR, zeros around": (replace(CIFAR, widths=(4, 7), shortcut="zeros"), {}),
    "CIFAR, zeros after": (
        replace(CIFAR, widths=(4, 7), shortcut="zeros", zero_channels="after"),
        {"zero_channels": "after"},
    ),
    "strided identity": (
        replace(CIFAR, blocks=(1, 1), widths=(4, 4), shortcut="zeros"),
        {},
    ),
    "deep stem, pooled": (
        Architecture(blocks=(1, 1), bottleneck=True, stem="deep", shortcut="pooled"),
        {},
    ),
    "deep stem, pooled, basic": (
        Architecture(blocks=(1, 2), stem="deep", shortcut="pooled"),
        {},
    ),
    "pooled names without a stride": (
        Architecture((1, 1), (4, 6), (1, 1), shortcut="pooled"),
        {"strides": (1, 1)},
    ),
    "biases": (replace(CIFAR, blocks=(1, 1), bias=True), {}),
    "ε": (replace(CIFAR, blocks=(1, 1), epsilon=0.1), {"epsilon": 0.1}),
    "strides": (Architecture((1, 1), (4, 6), (2, 1)), {"strides": (2, 1)}),
    "3×3 with max pooling": (replace(CIFAR, max_pool=True), {"max_pool": True}),
    "7×7 without max pooling": (
        Architecture(blocks=(1, 1), max_pool=False),
        {"max_pool": False},
    ),
    "one stage, one channel": (
        Architecture((1,), (4,), (1,), stem="3x3", max_pool=False, channels=1),
        {},
    ),
    "five stages": (
        Architecture((1,) * 5, (2, 3, 4, 5, 6), (1, 2, 2, 2, 2), stem="3x3", max_pool=False),
        {},
    ),
}


def state_of(net: Architecture, classes: int = 3, seed: int = 0) -> State:
    """Return random weights of a network, with the names of torchvision."""
    rng = np.random.default_rng(seed)
    state: State = {}

    def draw(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, dtype=np.float32)

    def conv(name: str, out: int, channels: int, size: int) -> None:
        fan_in = channels * size * size
        state[f"{name}.weight"] = draw(out, channels, size, size) * np.float32(fan_in**-0.5)
        if net.bias:
            state[f"{name}.bias"] = draw(out)

    def norm(name: str, width: int) -> None:
        state[f"{name}.weight"] = 1 + draw(width) / 4
        state[f"{name}.bias"] = draw(width) / 4
        state[f"{name}.running_mean"] = draw(width) / 4
        state[f"{name}.running_var"] = 0.5 + draw(width) ** 2
        state[f"{name}.num_batches_tracked"] = np.array(7)

    channels = net.channels
    for conv_name, norm_name, size, _, width in net.stem_layers:
        conv(conv_name, width, channels, size)
        norm(norm_name, width)
        channels = width
    for block, width, stride in net.places():
        out = channels
        for number, (size, factor) in enumerate(net.convolutions, start=1):
            conv(f"{block}.conv{number}", width * factor, out, size)
            norm(f"{block}.bn{number}", width * factor)
            out = width * factor
        if net.shortcut != "zeros" and (out != channels or stride > 1):
            first = 1 if net.shortcut == "pooled" else 0
            conv(f"{block}.downsample.{first}", out, channels, 1)
            norm(f"{block}.downsample.{first + 1}", out)
        channels = out
    state["fc.weight"], state["fc.bias"] = draw(classes, channels), draw(classes)
    return state


def run_network(net: Architecture, state: State, x: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Return the stages of the stem and of every block in eval mode, and the logits."""
    found = {"stem": run_stem(net, state, x)}
    stream = found["stem"]["out"]
    for block, _, stride in net.places():
        found[block] = run_block(net, state, block, stride, stream, stream)
        stream = found[block]["out"]
    pooled = stream.mean(axis=(0, 1))
    found["head"] = {"logits": state["fc.weight"] @ pooled + state["fc.bias"]}
    return found


def run_stem(net: Architecture, state: State, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return the stages of the stem in eval mode."""
    value, stages = x, {"x": x}
    for number, (conv_name, norm_name, _, stride, _) in enumerate(net.stem_layers, start=1):
        stages[f"conv{number}"] = _conv(state, value, conv_name, stride)
        stages[f"bn{number}"] = _norm(net, state, stages[f"conv{number}"], norm_name)
        value = stages[f"relu{number}"] = reference.relu(stages[f"bn{number}"])
    if net.max_pool:
        stages["out"] = reference.max_pool(value, 3, 2, 1)
    else:
        stages["out"] = stages.pop(f"relu{len(net.stem_layers)}")
    return stages


def run_block(
    net: Architecture,
    state: State,
    block: str,
    stride: int,
    x: np.ndarray,
    into_shortcut: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return the stages of a block in eval mode; `into_shortcut` is x, or changed from it."""
    value, stages = x, {"x": x}
    strides = net.strides_of_block(stride)
    for number, step in enumerate(strides, start=1):
        stages[f"conv{number}"] = _conv(state, value, f"{block}.conv{number}", step)
        value = _norm(net, state, stages[f"conv{number}"], f"{block}.bn{number}")
        stages[f"bn{number}"] = value
        if number < len(strides):
            value = stages[f"relu{number}"] = reference.relu(value)
    identity = into_shortcut
    if f"{block}.downsample.2.weight" in state:
        if stride > 1:
            identity = stages["pool"] = reference.average_pool(identity, stride)
        stages["proj"] = _conv(state, identity, f"{block}.downsample.1", 1)
        identity = stages["bn_proj"] = _norm(net, state, stages["proj"], f"{block}.downsample.2")
    elif f"{block}.downsample.0.weight" in state:
        stages["proj"] = _conv(state, identity, f"{block}.downsample.0", stride)
        identity = stages["bn_proj"] = _norm(net, state, stages["proj"], f"{block}.downsample.1")
    elif x.shape != value.shape:
        identity = np.zeros_like(value)
        identity[:, :, kept_channels(net, x.shape[2], value.shape[2])] = into_shortcut[
            ::stride, ::stride
        ]
        stages["pad"] = identity
    stages["add"] = value + identity
    stages["out"] = reference.relu(stages["add"])
    return stages


def kept_channels(net: Architecture, before: int, after: int) -> slice:
    """Return where the channels of x lie among zeros."""
    first = (after - before) // 2 if net.zero_channels == "around" else 0
    return slice(first, first + before)


def _conv(state: State, v: np.ndarray, name: str, stride: int) -> np.ndarray:
    kernel = state[f"{name}.weight"].transpose(2, 3, 1, 0).astype(np.float64)
    bias = state.get(f"{name}.bias", np.zeros(kernel.shape[3]))
    return reference.conv(v, kernel, stride, kernel.shape[0] // 2) + bias


def _norm(net: Architecture, state: State, v: np.ndarray, name: str) -> np.ndarray:
    mean, var, gamma, beta = (
        state[f"{name}.{each}"] for each in ("running_mean", "running_var", "weight", "bias")
    )
    return reference.batch_norm(v, mean, var, gamma, beta, net.epsilon)


def with_names_of_transformers(state: State, prefix: str = "resnet.") -> State:
    """Return the same weights with the names that transformers gives them."""
    found = {}
    for name, tensor in state.items():
        new = re.sub(r"^conv1\.", "embedder.embedder.convolution.", name)
        new = re.sub(r"^bn1\.", "embedder.embedder.normalization.", new)
        if place := re.match(r"layer(\d+)\.(\d+)\.(.*)", new):
            rest = re.sub(r"^downsample\.0", "shortcut.convolution", place[3])
            rest = re.sub(r"^downsample\.1", "shortcut.normalization", rest)
            rest = re.sub(r"^conv(\d)", lambda k: f"layer.{int(k[1]) - 1}.convolution", rest)
            rest = re.sub(r"^bn(\d)", lambda k: f"layer.{int(k[1]) - 1}.normalization", rest)
            new = f"encoder.stages.{int(place[1]) - 1}.layers.{place[2]}.{rest}"
        found[new.replace("fc.", "classifier.1.") if "fc." in new else prefix + new] = tensor
    return found


def with_names_of_cifar_code(state: State) -> State:
    """Return the same weights with shortcut and linear in place of downsample and fc."""
    return {
        name.replace("downsample", "shortcut").replace("fc.", "linear."): tensor
        for name, tensor in state.items()
    }
