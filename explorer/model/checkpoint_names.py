"""The names of tensors in checkpoints: torchvision's and timm's, CIFAR code's, transformers'."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from explorer.errors import InputError
from explorer.model.safetensors_header import printable_name

# A convolution and the norm that follows it, by the names of their tensors without the variable.
ConvNorm = tuple[str, str]

_NUMBER = "(0|[1-9][0-9]{0,3})"
_EXPECTED = "expected the names of torchvision, timm or transformers, such as layer1.0.conv1.weight"


@dataclass(frozen=True)
class Block:
    """The names in a block: `name` is its own, which the page shows, and `prefix` starts all."""

    name: str
    prefix: str
    branch: tuple[ConvNorm, ...]
    projections: tuple[ConvNorm, ...]
    pooled_projection: ConvNorm | None


@dataclass(frozen=True)
class Naming:
    """How a library names the tensors of a network that starts at `prefix`."""

    prefix: str
    is_transformers: bool

    def stem(self, names: Iterable[str]) -> tuple[ConvNorm, ...]:
        """Return the stem's convolutions: one, or the three of a deep stem."""
        at = self.prefix
        if self.is_transformers:
            embedder = f"{at}embedder.embedder"
            return ((f"{embedder}.convolution", f"{embedder}.normalization"),)
        if any(name.startswith(f"{at}conv1.0.") for name in names):
            deep = [(f"{at}conv1.{at_}", f"{at}conv1.{at_ + 1}") for at_ in (0, 3)]
            return (*deep, (f"{at}conv1.6", f"{at}bn1"))
        return ((f"{at}conv1", f"{at}bn1"),)

    def stage_of(self, name: str) -> tuple[int, int] | None:
        """Return stage and block, both from 0, of a tensor's name; None outside the blocks."""
        stages = (
            rf"encoder\.stages\.{_NUMBER}\.layers" if self.is_transformers else f"layer{_NUMBER}"
        )
        rest = name[len(self.prefix) :] if name.startswith(self.prefix) else ""
        if found := re.match(rf"{stages}\.{_NUMBER}\.", rest):
            stage, block = (int(number) for number in found.groups())
            first = 0 if self.is_transformers else 1
            return (stage - first, block) if stage >= first else None
        return None

    def in_stages(self, name: str) -> bool:
        """Return whether a name belongs to a stage, even if not to a block of it."""
        rest = name[len(self.prefix) :] if name.startswith(self.prefix) else ""
        return bool(re.match(r"encoder\.stages\." if self.is_transformers else "layer[0-9]", rest))

    def is_around_stages(self, name: str) -> bool:
        """Return whether a name is one that layers before or after the stages have."""
        rest = name[len(self.prefix) :] if name.startswith(self.prefix) else ""
        return bool(re.match(r"(conv|bn|norm)[0-9]*\.|(maxpool|stem|embedder)\.", rest))

    def block(self, stage: int, index: int, convolutions: int) -> Block:
        """Return the names in a block whose branch has this many convolutions."""
        count = range(convolutions)
        if self.is_transformers:
            name = f"stages.{stage}.layers.{index}"
            at = f"{self.prefix}encoder.{name}."
            branch = [(f"{at}layer.{k}.convolution", f"{at}layer.{k}.normalization") for k in count]
            shortcut = f"{at}shortcut.convolution", f"{at}shortcut.normalization"
            return Block(name, at, tuple(branch), (shortcut,), None)
        name = f"layer{stage + 1}.{index}"
        at = f"{self.prefix}{name}."
        branch = [(f"{at}conv{k + 1}", f"{at}bn{k + 1}") for k in count]
        projections = [(f"{at}{each}.0", f"{at}{each}.1") for each in ("downsample", "shortcut")]
        pooled = f"{at}downsample.1", f"{at}downsample.2"
        return Block(name, at, tuple(branch), tuple(projections), pooled)

    def heads(self) -> list[str]:
        """Return the names that the head may have, without the variable, most likely first."""
        parts = self.prefix.split(".")[:-1]
        places = [".".join([*parts[:count], ""]) for count in range(len(parts), 0, -1)]
        names: tuple[str, ...]
        names = ("fc", "linear", "classifier.1", "classifier", "last_linear", "head")
        if self.is_transformers:
            names = ("classifier.1", "classifier", "fc")
        return [place + name for place in (*places, "") for name in names]


def find_naming(names: Sequence[str]) -> tuple[Naming, list[str]]:
    """Return how the network's tensors are named, and notes.

    Of several networks, the one with the shortest prefix that is no EMA copy is taken.

    Raises:
        InputError: there is no network with blocks of a known name.
    """
    found: set[tuple[str, bool]] = set()
    for name in names:
        for marker, is_transformers in (("layer1.0.", False), ("encoder.stages.0.", True)):
            at = name.find(marker)
            if at == 0 or (at > 0 and name[at - 1] == "."):
                found.add((name[:at], is_transformers))
    if not found:
        raise InputError(_no_network(names))
    prefix, is_transformers = min(found, key=lambda each: (_is_ema(each[0]), len(each[0]), each))
    notes = []
    if prefix and prefix != "resnet.":
        notes.append(
            f"The names of the network's tensors start with “{printable_name(prefix)}”, which was "
            "removed."
        )
    if _is_ema(prefix):
        notes.append("The only network in the file is its copy of averaged weights (EMA).")
    return Naming(prefix, is_transformers), notes


def _is_ema(prefix: str) -> bool:
    return "ema" in re.split(r"[._]", prefix.lower())


def _no_network(names: Sequence[str]) -> str:
    for name in names:
        if re.search(r"(^|\.)stages\.[0-9]+\.blocks\.[0-9]+\.norm1\.", name):
            return (
                f"The tensor {printable_name(name)} is of a block with pre-activation, whose norm "
                "comes before its convolution; expected a network with BatchNorm after each "
                "convolution: choose a ResNet of version 1, such as timm's resnet50."
            )
    listed = ", ".join(printable_name(name) for name in names[:3]) or "none"
    return f"The file has no block of a ResNet; {_EXPECTED}: names received: {listed}."
