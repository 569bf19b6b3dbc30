"""Tensors that are no network that can be read: one sentence that names the tensor."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explorer import InputError
from explorer.model.checkpoint import read_checkpoint
from tests.checkpoints import (
    Architecture,
    State,
    state_of,
    with_names_of_cifar_code,
    with_names_of_transformers,
)

BASIC = state_of(Architecture())
BOTTLENECK = state_of(Architecture(bottleneck=True))
DEEP = state_of(Architecture(bottleneck=True, stem="deep", shortcut="pooled"))
ZEROS = state_of(Architecture(widths=(6, 4), shortcut="zeros"))
TRANSFORMERS = with_names_of_transformers(BASIC)

Change = Callable[[State], State]


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


def without(*names: str) -> Change:
    """Return a change that removes the tensors that start with these names."""

    def change(state: State) -> State:
        kept = {name: each for name, each in state.items() if not name.startswith(names)}
        assert len(kept) < len(state)
        return kept

    return change


def put(name: str, *shape: int, new: bool = False) -> Change:
    """Return a change that gives a tensor another shape, or adds a new one."""

    def change(state: State) -> State:
        assert (name in state) != new
        return {**state, name: ones(*shape)}

    return change


def renamed(old: str, new: str) -> Change:
    return lambda state: {name.replace(old, new): each for name, each in state.items()}


def of_type(name: str, dtype: Any) -> Change:
    return lambda state: {**state, name: state[name].astype(dtype)}


def full_preactivation(state: State) -> State:
    """Return a network with BatchNorm before each convolution, with torchvision's names."""
    found = without("bn1.")(state)
    for block in ("layer1.0", "layer1.1", "layer2.0"):
        channels = state[f"{block}.conv1.weight"].shape[1]
        for variable in ("weight", "bias", "running_mean", "running_var"):
            found[f"{block}.bn1.{variable}"] = ones(channels)
    return found | {f"bn.{variable}": ones(6) for variable in ("weight", "bias")}


def resnetv2(state: State) -> State:
    """Return some names of timm's networks with pre-activation."""
    return {
        "stem.conv.weight": ones(4, 3, 7, 7),
        "stages.0.blocks.0.norm1.weight": ones(4),
        "stages.0.blocks.0.conv1.weight": ones(4, 4, 1, 1),
        "norm.weight": ones(4),
    }


REFUSED: dict[str, tuple[State, Change, str]] = {
    "no tensor": (BASIC, lambda state: {}, "no block of a ResNet.* names received: none"),
    "another network": (
        BASIC,
        lambda state: {"features.0.weight": ones(4, 3, 3, 3), "<b>": ones(1)},
        r"no block of a ResNet; .*layer1.0.conv1.weight: names received: features.0.weight, \?b\?.",
    ),
    "blocks alone": (BASIC, without("conv1", "bn1"), "no tensor conv1.weight; expected the compl"),
    "no first stage": (BASIC, without("layer1"), "no block of a ResNet"),
    "no second block": (
        BASIC,
        renamed("layer1.1", "layer1.2"),
        "has the block layer1.2 but not the block layer1.1 before it",
    ),
    "no second stage": (
        BASIC,
        renamed("layer2", "layer3"),
        "has the block layer3.0 but not the block layer2.0 before it",
    ),
    "first block of a stage missing": (
        BASIC,
        renamed("layer2.0", "layer2.1"),
        "has the block layer2.1 but not the block layer2.0 before it",
    ),
    "gap in transformers": (
        TRANSFORMERS,
        renamed("stages.1.layers.0", "stages.1.layers.3"),
        "has the block stages.1.layers.3 but not the block stages.1.layers.2",
    ),
    "no head": (BASIC, without("fc"), "no head, such as fc.weight; expected the linear layer"),
    "no head in transformers": (
        TRANSFORMERS,
        without("classifier"),
        "no head, such as resnet.classifier.1.weight",
    ),
    "head of another width": (
        BASIC,
        put("fc.weight", 3, 5),
        "fc.weight has shape 3×5; .*classes×6",
    ),
    "head with four axes": (
        BASIC,
        put("fc.weight", 3, 6, 1, 1),
        "fc.weight has shape 3×6×1×1; expected classes×6",
    ),
    "head without classes": (BASIC, put("fc.weight", 0, 6), "fc.weight has shape 0×6"),
    "bias of the head": (BASIC, put("fc.bias", 4), "fc.bias has shape 4; expected 3"),
    "no running mean": (
        BASIC,
        without("layer1.0.bn1.running_mean"),
        "no tensor layer1.0.bn1.running_mean; .* every BatchNorm's running statistics",
    ),
    "no running statistics": (
        BASIC,
        lambda state: {name: each for name, each in state.items() if "running" not in name},
        "no tensor bn1.running_mean",
    ),
    "no running variance in transformers": (
        TRANSFORMERS,
        without("resnet.encoder.stages.0.layers.1.layer.1.normalization.running_var"),
        "no tensor resnet.encoder.stages.0.layers.1.layer.1.normalization.running_var",
    ),
    "no scale": (BASIC, without("layer1.0.bn2.weight"), "no tensor layer1.0.bn2.weight"),
    "no first convolution": (
        BASIC,
        without("layer1.1.conv1.weight"),
        "no tensor layer1.1.conv1.weight",
    ),
    "no second convolution": (
        BASIC,
        without("layer2.0.conv2.weight"),
        "no tensor layer2.0.conv2.weight",
    ),
    "no third convolution": (
        BOTTLENECK,
        without("layer1.0.conv3.weight"),
        "no tensor layer1.0.conv3.weight|layer1.0.bn3.bias is not part",
    ),
    "no convolution on the shortcut": (
        BASIC,
        without("layer2.0.downsample.0.weight"),
        "no tensor layer2.0.downsample.0.weight",
    ),
    "no norm on the shortcut": (
        BASIC,
        without("layer2.0.downsample.1"),
        "no tensor layer2.0.downsample.1.weight",
    ),
    "no shortcut of CIFAR code": (
        with_names_of_cifar_code(BASIC),
        without("layer2.0.shortcut.0.weight"),
        "no tensor layer2.0.shortcut.0.weight",
    ),
    "shortcut twice": (
        BASIC,
        put("layer2.0.shortcut.0.weight", 6, 4, 1, 1, new=True),
        "layer2.0.shortcut.0.weight is not part of a basic block",
    ),
    "fewer channels without a projection": (
        ZEROS,
        dict,
        "layer2.0 has 6 input channels and 4 output channels but no tensors on its shortcut",
    ),
    "projection to other channels": (
        BASIC,
        lambda state: {
            name: each[:5] if "downsample" in name and each.ndim else each
            for name, each in state.items()
        },
        "layer2.0.downsample.0.weight has 5 output channels and the block's branch has 6",
    ),
    "projection of 3×3": (
        BASIC,
        put("layer2.0.downsample.0.weight", 6, 4, 3, 3),
        "layer2.0.downsample.0.weight has shape 6×4×3×3; expected outputs×4×1×1",
    ),
    "kernel of another size": (
        BASIC,
        put("layer1.0.conv2.weight", 4, 4, 5, 5),
        "layer1.0.conv2.weight has shape 4×4×5×5; expected outputs×4×3×3",
    ),
    "kernel that is not square": (
        BASIC,
        put("layer1.0.conv1.weight", 4, 4, 3, 1),
        "layer1.0.conv1.weight has shape 4×4×3×1; expected outputs×4×3×3",
    ),
    "kernel with two axes": (
        BASIC,
        put("layer1.0.conv1.weight", 4, 4),
        "layer1.0.conv1.weight has shape 4×4; expected outputs×4×3×3",
    ),
    "kernel without outputs": (
        BASIC,
        put("layer1.0.conv1.weight", 0, 4, 3, 3),
        "layer1.0.conv1.weight has shape 0×4×3×3",
    ),
    "kernel without inputs": (
        BASIC,
        put("layer1.0.conv1.weight", 4, 0, 3, 3),
        "layer1.0.conv1.weight has shape 4×0×3×3",
    ),
    "kernel of other inputs": (
        BASIC,
        put("layer1.1.conv1.weight", 4, 7, 3, 3),
        "layer1.1.conv1.weight has shape 4×7×3×3; expected outputs×4×3×3",
    ),
    "grouped convolution": (
        BOTTLENECK,
        put("layer1.0.conv2.weight", 4, 2, 3, 3),
        "layer1.0.conv2.weight has shape 4×2×3×3, that of a grouped convolution of 4 channels",
    ),
    "norm of another width": (
        BASIC,
        put("layer1.0.bn2.running_var", 5),
        "layer1.0.bn2.running_var has shape 5; expected 4",
    ),
    "norm with two axes": (
        BASIC,
        put("layer1.0.bn2.weight", 4, 1),
        "layer1.0.bn2.weight has shape 4×1; expected 4",
    ),
    "norm without axes": (BASIC, put("layer1.0.bn2.bias"), r"bn2.bias has shape \(\); expected 4"),
    "bias of a convolution": (
        BASIC,
        put("layer1.0.conv1.bias", 3, new=True),
        "layer1.0.conv1.bias has shape 3; expected 4",
    ),
    "stem of 5×5": (
        BASIC,
        put("conv1.weight", 4, 3, 5, 5),
        "conv1.weight has shape 4×3×5×5; .*7×7",
    ),
    "stem without channels": (BASIC, put("conv1.weight", 4, 0, 7, 7), "conv1.weight has shape 4×0"),
    "deep stem of 7×7": (
        DEEP,
        put("conv1.0.weight", 3, 3, 7, 7),
        "conv1.0.weight has shape 3×3×7×7",
    ),
    "deep stem without its second": (DEEP, without("conv1.3"), "no tensor conv1.3.weight"),
    "deep stem without a norm": (DEEP, without("conv1.1."), "no tensor conv1.1.weight"),
    "integers": (
        BASIC,
        of_type("layer1.0.conv1.weight", np.int8),
        "conv1.weight has the type 'int8'",
    ),
    "complex numbers": (
        BASIC,
        of_type("fc.weight", complex),
        "fc.weight has the type 'complex128'",
    ),
    "text": (BASIC, of_type("bn1.bias", str), "bn1.bias has the type 'str"),
    "squeeze-excitation": (
        BOTTLENECK,
        put("layer1.0.se.fc1.weight", 2, 16, 1, 1, new=True),
        "layer1.0.se.fc1.weight is not part of a basic block .* squeeze-excitation",
    ),
    "squeeze-excitation of transformers": (
        TRANSFORMERS,
        put("resnet.encoder.stages.0.layers.0.layer.1.attention.0.weight", 1, 1, 1, 1, new=True),
        "resnet.encoder.stages.0.layers.0.layer.1.attention.0.weight is not part",
    ),
    "fourth convolution": (
        BOTTLENECK,
        put("layer1.0.conv4.weight", 4, 4, 1, 1, new=True),
        "layer1.0.conv4.weight is not part",
    ),
    "tensor within a stage": (
        BASIC,
        put("layer1.gate.weight", 4, new=True),
        "layer1.gate.weight is not part",
    ),
    "stage 0": (BASIC, put("layer0.0.conv1.weight", 4, new=True), "layer0.0.conv1.weight is not"),
    "HTML within a block": (
        BASIC,
        put("layer1.0.<img src=x>\n", 4, new=True),
        r"The tensor layer1.0.\?img\?src\?x\?\? is not part",
    ),
    "number of 100 digits": (
        BASIC,
        put(f"layer{'9' * 100}.0.conv1.weight", 4, new=True),
        "The tensor layer9+… is not part",
    ),
    "convolution in place of the max pooling": (
        DEEP,
        put("maxpool.0.weight", 4, 4, 3, 3, new=True),
        "maxpool.0.weight is of a layer before or after the stages",
    ),
    "norm before the head": (BASIC, put("bn2.weight", 6, new=True), "bn2.weight is of a layer"),
    "fourth convolution of the stem": (
        DEEP,
        put("conv1.9.weight", 4, 4, 3, 3, new=True),
        "conv1.9.weight is of a layer",
    ),
    "another layer in the embedder": (
        TRANSFORMERS,
        put("resnet.embedder.extra.weight", 4, new=True),
        "resnet.embedder.extra.weight is of a layer",
    ),
    "pre-activation without a norm in the stem": (
        BASIC,
        full_preactivation,
        "no tensor bn1.weight, the norm after the stem's .* networks with pre-activation",
    ),
    "pre-activation after a norm in the stem": (
        BASIC,
        lambda state: (
            full_preactivation(state)
            | {name: each for name, each in state.items() if name.startswith("bn1.")}
        ),
        "layer2.0.bn1.weight has 4 values, the input channels of layer2.0.conv1, as in a network "
        "with pre-activation",
    ),
    "timm's resnetv2": (
        BASIC,
        resnetv2,
        "stages.0.blocks.0.norm1.weight is of a block with pre-activation",
    ),
}


@pytest.mark.parametrize(("state", "change", "message"), REFUSED.values(), ids=REFUSED)
def test_tensors_that_are_no_network_give_one_sentence(
    state: State, change: Change, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_checkpoint(change(state))
    text = str(caught.value)
    assert text.isprintable()
    assert text.endswith(".")
    assert "<" not in text
    assert len(text) < 350


@pytest.mark.parametrize("state", [BASIC, BOTTLENECK, DEEP, TRANSFORMERS])
def test_every_tensor_but_biases_and_counters_is_needed(state: State) -> None:
    """Without any one tensor of the network, and with any one of another shape."""
    for name in state:
        if name.endswith("num_batches_tracked"):
            continue
        for changed in (without(name)(state), put(name, 2, 2, 2)(state)):
            if name in ("fc.bias", "classifier.1.bias") and name not in changed:
                assert not read_checkpoint(changed).head["bias"].any()
                continue
            with pytest.raises(InputError, match=r"expected|not part|not read") as caught:
                read_checkpoint(changed)
            assert str(caught.value).isprintable()


def test_arguments_of_other_types_are_refused() -> None:
    with pytest.raises(InputError, match="tensors must be a Mapping, got 3"):
        read_checkpoint(3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="conventions must be a Conventions, got None"):
        read_checkpoint(BASIC, None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="every name in tensors must be a str, got 3"):
        read_checkpoint({**BASIC, 3: ones(1)})  # type: ignore[dict-item]


def test_a_network_of_a_thousand_blocks_is_read() -> None:
    net = Architecture((900, 1, 99), (1, 2, 3), (1, 2, 2), stem="3x3", max_pool=False)
    assert len(read_checkpoint(state_of(replace(net, channels=1))).blocks) == 1000
