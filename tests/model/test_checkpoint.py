"""Checkpoints of every naming and architecture, against an oracle in NumPy loops."""

import re
from collections.abc import Callable
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from explorer import InputError
from explorer.model.checkpoint import Checkpoint, CheckpointPart, Conventions, read_checkpoint
from explorer.model.variants import V1
from explorer.model.weights import Structure
from tests.checkpoints import (
    CIFAR,
    NETWORKS,
    Architecture,
    Settings,
    State,
    run_network,
    state_of,
    with_names_of_cifar_code,
    with_names_of_transformers,
)
from tests.helpers import noise


def stages_of(part: CheckpointPart, found: Checkpoint, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return the stages of a part, run on the output of the part before it."""
    structure = Structure(part.spec.structure(), part.features, found.batch_norm)
    block = structure.block(part.parameters, part.statistics)
    stages = block.stages(jnp.asarray(x, jnp.float32), True)
    assert list(stages) == list(part.spec.stages())
    return {name: np.asarray(stage) for name, stage in stages.items()}


@pytest.mark.parametrize(("net", "conventions"), NETWORKS.values(), ids=NETWORKS)
def test_every_stage_is_that_of_the_oracle(net: Architecture, conventions: Settings) -> None:
    state = state_of(net)
    x = noise((17, 20, net.channels), 1)
    expected = run_network(net, state, x)
    found = read_checkpoint(state, Conventions(**conventions))
    parts = (found.stem, *found.blocks)
    assert [part.name for part in parts] == list(expected)[:-1]
    stream = x
    for part in parts:
        stages = stages_of(part, found, stream)
        assert stages.keys() == expected[part.name].keys()
        for name, stage in stages.items():
            right = expected[part.name][name]
            assert stage.shape == right.shape, (part.name, name)
            assert np.abs(stage - right).max() <= 1e-4 * np.abs(right).max(), (part.name, name)
        stream = stages["out"]
    logits = stream.mean(axis=(0, 1)) @ found.head["kernel"] + found.head["bias"]
    np.testing.assert_allclose(logits, expected["head"]["logits"], rtol=1e-4, atol=1e-4)
    assert (found.conventions.strides, found.conventions.max_pool) == (net.strides, net.max_pool)
    assert (found.batch_norm.epsilon, found.batch_norm.momentum) == (net.epsilon, 0.9)


def test_stages_have_the_names_of_the_design() -> None:
    def stages(net: Architecture) -> list[tuple[str, ...]]:
        found = read_checkpoint(state_of(net))
        return [part.spec.stages() for part in (found.stem, found.blocks[0], found.blocks[-1])]

    basic = ("x", "conv1", "bn1", "relu1", "conv2", "bn2")
    bottleneck = (*basic, "relu2", "conv3", "bn3")
    stem = ("x", "conv1", "bn1", "relu1", "out")
    assert stages(Architecture()) == [
        stem,
        (*basic, "add", "out"),
        (*basic, "proj", "bn_proj", "add", "out"),
    ]
    assert stages(replace(CIFAR, bottleneck=True, shortcut="zeros")) == [
        ("x", "conv1", "bn1", "out"),
        (*bottleneck, "pad", "add", "out"),
        (*bottleneck, "pad", "add", "out"),
    ]
    deep = Architecture(bottleneck=True, stem="deep", shortcut="pooled")
    assert stages(deep) == [
        (*bottleneck, "relu3", "out"),
        (*bottleneck, "proj", "bn_proj", "add", "out"),
        (*bottleneck, "pool", "proj", "bn_proj", "add", "out"),
    ]


def test_a_basic_block_that_keeps_its_shape_is_the_literal_one() -> None:
    block = read_checkpoint(state_of(Architecture())).blocks[1]
    assert block.spec.structure() == V1.structure()


@pytest.mark.parametrize(
    ("net", "titles"),
    [
        (
            Architecture(),
            [
                "Stem: a 7×7 convolution, stride 2, then max pooling",
                "Basic block",
                "Basic block",
                "Basic block with projection, stride 2",
            ],
        ),
        (
            Architecture((1, 2), bottleneck=True, stem="deep", shortcut="pooled"),
            [
                "Stem: three 3×3 convolutions, stride 2, then max pooling",
                "Bottleneck with projection",
                "Bottleneck with pooled projection, stride 2",
                "Bottleneck",
            ],
        ),
        (
            replace(CIFAR, blocks=(1, 1), shortcut="zeros"),
            ["Stem: a 3×3 convolution", "Basic block", "Basic block with zero channels, stride 2"],
        ),
    ],
)
def test_titles_say_what_a_part_is(net: Architecture, titles: list[str]) -> None:
    found = read_checkpoint(state_of(net))
    assert [part.spec.title for part in (found.stem, *found.blocks)] == titles


def assert_same(one: Checkpoint, other: Checkpoint) -> None:
    for left, right in zip((one.stem, *one.blocks), (other.stem, *other.blocks), strict=True):
        assert (left.spec, left.features) == (right.spec, right.features)
        for mine, theirs in (
            (left.parameters, right.parameters),
            (left.statistics, right.statistics),
        ):
            assert mine.keys() == theirs.keys()
            for layer, variables in mine.items():
                assert variables.keys() == theirs[layer].keys()
                for name, value in variables.items():
                    np.testing.assert_array_equal(value, theirs[layer][name])
    for name in ("kernel", "bias"):
        np.testing.assert_array_equal(one.head[name], other.head[name])


def prefixed(state: State, prefix: str) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def doubled(state: State) -> State:
    """Return other values under the same names."""
    return {name: tensor * 2 for name, tensor in state.items()}


BASIC, BOTTLENECK = (state_of(Architecture(bottleneck=each)) for each in (False, True))
COUNTERS = r"Ignored \d+ num_batches_tracked, which count training steps."
# How names are changed; the first block's name; and what the notes say of it.
NAMINGS: dict[str, tuple[Callable[[State], State], str, list[str]]] = {
    "torchvision": (dict, "layer1.0", [COUNTERS]),
    "CIFAR code": (with_names_of_cifar_code, "layer1.0", [COUNTERS]),
    "transformers": (with_names_of_transformers, "stages.0.layers.0", [COUNTERS]),
    "transformers without a prefix": (
        lambda state: with_names_of_transformers(state, ""),
        "stages.0.layers.0",
        [COUNTERS],
    ),
    "module.": (
        lambda state: prefixed(state, "module."),
        "layer1.0",
        ["start with “module.”, which was removed", COUNTERS],
    ),
    "module.model.module.": (
        lambda state: prefixed(state, "module.model.module."),
        "layer1.0",
        ["start with “module.model.module.”, which was removed"],
    ),
    "module. before transformers": (
        lambda state: prefixed(with_names_of_transformers(state), "module."),
        "stages.0.layers.0",
        ["start with “module.resnet.”, which was removed"],
    ),
    "EMA after the network": (
        lambda state: state | prefixed(doubled(state), "model_ema.module."),
        "layer1.0",
        [r"Ignored \d+ tensors that are no part of the network, such as model_ema.module.conv1"],
    ),
    "EMA with the shorter prefix": (
        lambda state: prefixed(doubled(state), "ema.") | prefixed(state, "module.model."),
        "layer1.0",
        ["start with “module.model.”", r"such as ema\.conv1\.weight"],
    ),
    "EMA alone": (
        lambda state: prefixed(state, "state_dict_ema."),
        "layer1.0",
        ["start with “state_dict_ema.”", r"copy of averaged weights \(EMA\)"],
    ),
    "optimiser state": (
        lambda state: state | {"optimizer.state.0.exp_avg": np.ones(3, np.float32)},
        "layer1.0",
        ["Ignored 1 tensor that is no part of the network, such as optimizer.state.0.exp_avg."],
    ),
    "markup and line breaks in ignored names": (
        lambda state: state | {"<script>\n\0" * 99: np.ones(1)},
        "layer1.0",
        [r"such as \?script[?script]+…\."],
    ),
    "head outside the backbone": (
        lambda state: {
            name if name.startswith("fc.") else f"backbone.{name}": tensor
            for name, tensor in state.items()
        },
        "layer1.0",
        ["start with “backbone.”"],
    ),
    "reversed order": (lambda state: dict(reversed(state.items())), "layer1.0", [COUNTERS]),
}


@pytest.mark.parametrize("state", [BASIC, BOTTLENECK], ids=["basic", "bottleneck"])
@pytest.mark.parametrize(("rename", "name", "notes"), NAMINGS.values(), ids=NAMINGS)
def test_other_names_give_the_same_network(
    rename: Callable[[State], State], name: str, notes: list[str], state: State
) -> None:
    found = read_checkpoint(rename(state))
    assert_same(found, read_checkpoint(state))
    assert found.blocks[0].name == name
    for note in notes:
        assert re.search(note, " ".join(found.notes)), found.notes
    assert all(
        0 < len(note) < 200 and note.isprintable() and "<" not in note for note in found.notes
    )


def test_notes_say_what_was_assumed_where_it_matters() -> None:
    def notes(net: Architecture, **conventions: object) -> str:
        return " ".join(read_checkpoint(state_of(net), Conventions(**conventions)).notes)  # type: ignore[arg-type]

    basic = notes(Architecture())
    assert "ε of all BatchNorms: 1e-05." in basic
    assert "Strides of the stages: 1, 2." in basic
    assert "A 3×3 max pooling follows the stem." in basic
    assert "bottleneck" not in basic
    assert "option A" not in basic
    assert "is in its 3×3 convolution" in notes(Architecture(bottleneck=True))
    assert "first 1×1 convolution" in notes(Architecture(bottleneck=True), stride_in="1x1")
    zeros = replace(CIFAR, shortcut="zeros")
    assert "max pooling does not follow the stem" in notes(zeros)
    assert "half before and half after those of x (option A)" in notes(zeros)
    assert "all after those of x (option A)" in notes(zeros, zero_channels="after")


@pytest.mark.parametrize(
    ("name", "value", "note"),
    [
        ("layer1.0.conv1.weight", np.nan, "layer1.0.conv1.weight has NaN or infinite values."),
        ("fc.bias", -np.inf, "fc.bias has NaN or infinite values."),
        ("bn1.running_var", 0, "bn1.running_var has variances that are zero or negative."),
        ("layer2.0.bn2.running_var", -1, "layer2.0.bn2.running_var has variances that are zero or"),
    ],
)
def test_unusual_values_are_read_and_noted(name: str, value: float, note: str) -> None:
    state = dict(BASIC)
    state[name] = np.full_like(state[name], value)
    found = read_checkpoint(state)
    assert note in " ".join(found.notes)
    stages_of(found.stem, found, noise((9, 9, 3)))
    assert note not in " ".join(read_checkpoint(BASIC).notes)


def test_many_unusual_tensors_are_one_note() -> None:
    state = {name: tensor * np.nan for name, tensor in BASIC.items()}
    unusual = [note for note in read_checkpoint(state).notes if "NaN" in note]
    assert len(unusual) == 1
    count = sum(not name.endswith("tracked") for name in BASIC)
    assert f"conv1.weight, one of {count} such tensors, has NaN" in unusual[0]


def test_weights_are_read_only_and_own_their_memory() -> None:
    found = read_checkpoint(BASIC)
    arrays = [found.head["kernel"], found.head["bias"]]
    for part in (found.stem, *found.blocks):
        for values in (*part.parameters.values(), *part.statistics.values()):
            arrays += list(values.values())
    for array in arrays:
        assert not array.flags.writeable
        assert array.flags.c_contiguous
        assert array.ctypes.data % 64 == 0  # JAX uses it without a copy
        assert array.dtype == np.float32
        assert not any(np.shares_memory(array, tensor) for tensor in BASIC.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epsilon": 0}, "epsilon must be above 0, got 0.0."),
        ({"epsilon": "small"}, "epsilon must be a real number .* got 'small'."),
        ({"strides": [1, 2]}, r"strides must be None or a tuple .* got \[1, 2\]."),
        ({"strides": (1, 3)}, r"strides must be None or a tuple .* got \(1, 3\)."),
        ({"stride_in": "5x5"}, "stride_in must be one of 3x3, 1x1; got '5x5'."),
        ({"zero_channels": "left"}, "zero_channels must be one of around, after; got 'left'."),
        ({"max_pool": 1}, "max_pool must be True or False, got 1."),
    ],
)
def test_illegal_conventions_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Conventions(**arguments)  # type: ignore[arg-type]


def test_strides_are_one_for_every_stage() -> None:
    with pytest.raises(InputError, match=r"strides has 3 values and the network 2 stages; .*1, 2"):
        read_checkpoint(BASIC, Conventions(strides=(1, 2, 2)))
