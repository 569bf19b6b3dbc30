"""Planted mistakes are found at their stage and named."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from explorer import compare_with_expected, load_checkpoint
from explorer.engine.expected_record import TOLERANCE
from tests import reference
from tests.checkpoints import Architecture, state_of
from tests.expected import BASIC, BOTTLENECK, PICTURE, ZEROS, Arrays, network_of, oracle


def uneven(x: np.ndarray, size: int, stride: int, value: float) -> np.ndarray:
    """Pad as TensorFlow's SAME: as little as gives ⌈side / stride⌉, the odd one at the end."""
    pads = []
    for side in x.shape[:2]:
        total = max((-(-side // stride) - 1) * stride + size - side, 0)
        pads.append((total // 2, total - total // 2))
    return np.pad(x.astype(np.float64), [*pads, (0, 0)], constant_values=value)


def plant(name: str, patch: Callable[[Any, str, Any], None]) -> None:
    """Change a layer of the oracle."""
    conv, pool, norm = reference.conv, reference.max_pool, reference.batch_norm

    def uneven_conv(x: np.ndarray, kernel: np.ndarray, stride: int, _: int) -> np.ndarray:
        return conv(uneven(x, len(kernel), stride, 0), kernel, stride, 0)

    def uneven_pool(x: np.ndarray, size: int, stride: int, _: int) -> np.ndarray:
        return pool(uneven(x, size, stride, -np.inf), size, stride, 0)

    def unpadded_pool(x: np.ndarray, size: int, stride: int, _: int) -> np.ndarray:
        return pool(x, size, stride, 0)

    def norm_in_train_mode(v: np.ndarray, *rest: Any) -> np.ndarray:
        return norm(v, *reference.statistics(v), *rest[2:])

    if name in ("uneven padding", "uneven padding everywhere"):
        patch(reference, "conv", uneven_conv)
    if name in ("uneven padding of the pooling", "uneven padding everywhere"):
        patch(reference, "max_pool", uneven_pool)
    if name == "max pooling without padding":
        patch(reference, "max_pool", unpadded_pool)
    if name == "train mode":
        patch(reference, "batch_norm", norm_in_train_mode)


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("uneven padding", "stem.conv1"),
        ("uneven padding everywhere", "stem.conv1"),
        ("uneven padding of the pooling", "stem.out"),
        ("max pooling without padding", "stem.out"),
        ("train mode", "stem.bn1"),
    ],
)
def test_layers_of_another_kind(name: str, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(name, monkeypatch.setattr)
    found = compare_with_expected(network_of(BASIC), PICTURE, oracle(BASIC))
    assert found.first is not None
    assert found.explanation is not None
    assert found.first.name == stage
    # The pooling after the first convolution cannot be known from it.
    known = "uneven padding" if name == "uneven padding everywhere" else name
    assert found.explanation.suspect == known
    assert found.explanation.block == "stem"
    assert found.explanation.relative < 1e-5
    assert found.explanation.words in found.sentence


@pytest.mark.parametrize("name", ["uneven padding", "uneven padding everywhere", "train mode"])
def test_layers_of_another_kind_everywhere(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(name, monkeypatch.setattr)
    expected = {"layer2.0": oracle(BASIC)["layer2.0.out"]}
    found = compare_with_expected(network_of(BASIC), PICTURE, expected)
    assert found.explanation is not None
    assert (found.explanation.suspect, found.explanation.block) == (name, None)
    assert found.explanation.relative < 1e-5


@pytest.mark.parametrize(
    ("net", "port", "stage", "suspect"),
    [
        (BOTTLENECK, replace(BOTTLENECK, stride_in="1x1"), "layer2.0.conv1", "stride"),
        (BASIC, replace(BASIC, max_pool=False), "stem.out", "no max pooling"),
        (ZEROS, replace(ZEROS, zero_channels="after"), "layer2.0.pad", "zero channels"),
    ],
    ids=["stride", "no max pooling", "zero channels"],
)
def test_another_architecture(
    net: Architecture, port: Architecture, stage: str, suspect: str
) -> None:
    found = compare_with_expected(network_of(net), PICTURE, oracle(port))
    assert found.first is not None
    assert found.explanation is not None
    assert (found.first.name, found.explanation.suspect) == (stage, suspect)
    assert found.explanation.relative < 1e-5


def test_the_stride_of_a_bottleneck_is_found_from_its_out() -> None:
    expected = oracle(replace(BOTTLENECK, stride_in="1x1"))
    outs = {name: expected[f"{name}.out"] for name in ("layer1.0", "layer2.0")}
    found = compare_with_expected(network_of(BOTTLENECK), PICTURE, outs)
    assert found.explanation is not None
    assert (found.explanation.suspect, found.explanation.block) == ("stride", "layer2.0")
    assert "after layer1.0, which agrees" in found.sentence


@pytest.mark.parametrize("epsilon", [1e-3, 1e-6, 1e-8])
@pytest.mark.parametrize("only", ["all", "logits"])
def test_another_epsilon(epsilon: float, only: str) -> None:
    # As small as the variances of dead channels, so that any ε matters.
    state = {
        name: array * np.float32(1e-5) if name.endswith("running_var") else array
        for name, array in state_of(BASIC).items()
    }
    expected = oracle(replace(BASIC, epsilon=epsilon), state=state)
    if only == "logits":
        expected = {"logits": expected["logits"]}
    found = compare_with_expected(load_checkpoint(save(state)), PICTURE, expected)
    assert found.first is not None
    assert found.explanation is not None
    assert found.first.name == ("logits" if only == "logits" else "stem.bn1")
    assert found.explanation.suspect == f"ε {epsilon:g}"


def sums(kind: str) -> tuple[Arrays, str]:
    """Return the stages of the last block with another sum, and the first that differs."""
    values = {name: each for name, each in oracle(BASIC).items() if name.startswith("layer2.0")}
    branch, shortcut = values["layer2.0.bn2"], values["layer2.0.bn_proj"]
    relu = reference.relu
    add, out = {
        "no skip": (branch, relu(branch)),
        "ReLU before the sum": (relu(branch) + shortcut, relu(branch) + shortcut),
        "ReLU before and after the sum": (
            relu(branch) + shortcut,
            relu(relu(branch) + shortcut),
        ),
        "no last ReLU": (branch + shortcut, branch + shortcut),
    }[kind]
    return {**values, "layer2.0.add": add, "layer2.0.out": out}, (
        "layer2.0.out" if kind == "no last ReLU" else "layer2.0.add"
    )


SUMS = ["no skip", "ReLU before the sum", "ReLU before and after the sum", "no last ReLU"]


@pytest.mark.parametrize("kind", SUMS)
@pytest.mark.parametrize("only", ["all", "out"])
def test_another_sum(kind: str, only: str) -> None:
    expected, stage = sums(kind)
    if only == "out":
        expected, stage = {"layer2.0": expected["layer2.0.out"]}, "layer2.0"
    found = compare_with_expected(network_of(BASIC), PICTURE, expected)
    assert found.first is not None
    assert found.explanation is not None
    assert found.first.name == stage
    # At the sum alone, the ReLU after it is not seen.
    is_seen = only == "out" or kind != "ReLU before and after the sum"
    assert found.explanation.suspect == (kind if is_seen else "ReLU before the sum")
    assert found.explanation.block == "layer2.0"
    assert found.explanation.relative < 1e-5


def test_no_skip_in_all_blocks() -> None:
    network = network_of(BASIC)
    plain = {name: model.without_shortcut() for name, model in network.models.items()}
    expected = {"logits": replace(network, models=plain).trace(PICTURE).logits}
    found = compare_with_expected(network, PICTURE, expected)
    assert found.explanation is not None
    assert (found.explanation.suspect, found.explanation.block) == ("no skip", None)


@pytest.mark.parametrize("name", ["stem.conv1", "layer2.0.out", "logits"])
def test_the_channels_of_the_picture_in_reverse_order(name: str) -> None:
    expected = {name: oracle(BASIC, PICTURE[..., ::-1])[name]}
    found = compare_with_expected(network_of(BASIC), PICTURE, expected)
    assert found.explanation is not None
    assert found.explanation.suspect == "BGR"


def test_a_suspect_must_not_break_an_earlier_stage() -> None:
    expected = {
        "stem.conv1": oracle(BASIC)["stem.conv1"],
        "layer2.0": oracle(BASIC, PICTURE[..., ::-1])["layer2.0.out"],
    }
    found = compare_with_expected(network_of(BASIC), PICTURE, expected)
    assert found.first is not None
    assert found.first.name == "layer2.0"
    assert found.explanation is None


def test_the_suspect_that_fits_best_is_named() -> None:
    # Variances for which ε = 1e-6, which is tried before 1e-8, fits within the tolerance too.
    state = {
        name: np.full_like(array, 1e-3) if name.endswith("running_var") else array
        for name, array in state_of(BASIC).items()
    }
    network = load_checkpoint(save(state))

    def stem(epsilon: float) -> Arrays:
        values = oracle(replace(BASIC, epsilon=epsilon), state=state)
        return {"stem.bn1": values["stem.bn1"]}

    expected = stem(1e-8)
    gap = np.abs(stem(1e-6)["stem.bn1"] - expected["stem.bn1"]).max()
    assert gap < TOLERANCE * np.abs(expected["stem.bn1"]).max()
    found = compare_with_expected(network, PICTURE, expected)
    assert found.explanation is not None
    assert found.explanation.suspect == "ε 1e-08"


def test_a_mistake_after_the_first_is_named_too() -> None:
    """ε differs everywhere, and the second block is without its skip."""
    other = oracle(replace(BASIC, epsilon=1e-3))
    del other["logits"]
    without = {**other, "layer2.0.add": other["layer2.0.bn2"]}
    without["layer2.0.out"] = np.maximum(other["layer2.0.bn2"], 0)
    found = compare_with_expected(network_of(BASIC), PICTURE, without)
    assert found.explanation is not None
    assert (found.explanation.suspect, found.following) == ("ε 0.001", "layer2.0.add")
    assert found.sentence.endswith(
        " With that corrected, the next stage that departs is layer2.0.add."
    )
    found = compare_with_expected(network_of(BASIC), PICTURE, other)
    assert found.following is None
    assert "With that corrected" not in found.sentence


def test_a_mistake_of_one_block_is_corrected_there_alone() -> None:
    network = network_of(BASIC)
    models = {**network.models, "layer1.0": network.models["layer1.0"].without_shortcut()}
    trace = replace(network, models=models).trace(PICTURE)
    expected = {name: block["out"] for name, block in trace.blocks.items()}
    found = compare_with_expected(network, PICTURE, expected)
    assert [each.departs for each in found.differences] == [True, True]
    assert found.explanation is not None
    assert (found.explanation.suspect, found.explanation.block) == ("no skip", "layer1.0")
    assert found.following is None
    expected["layer2.0"] = expected["layer2.0"] * 2
    assert compare_with_expected(network, PICTURE, expected).following == "layer2.0"


def test_the_picture_itself_is_a_stage() -> None:
    found = compare_with_expected(network_of(BASIC), PICTURE, {"stem.x": PICTURE[..., ::-1]})
    assert found.explanation is not None
    assert found.explanation.suspect == "BGR"
    other = compare_with_expected(network_of(BASIC), PICTURE, {"stem.x": PICTURE / 2 + 1})
    assert other.explanation is None
    assert "preprocessing" in other.sentence


def test_values_that_a_layer_in_place_has_overwritten() -> None:
    expected = oracle(BASIC)
    expected["layer1.0.bn1"] = expected["layer1.0.relu1"]
    found = compare_with_expected(network_of(BASIC), PICTURE, expected)
    assert found.first is not None
    assert found.explanation is not None
    assert found.first.name == "layer1.0.bn1"
    assert found.explanation.suspect == "values of relu1"
    assert "if they are the values of layer1.0.relu1, as where a layer" in found.sentence
    assert found.sentence.endswith("works in place has overwritten them.")


def test_probabilities_in_place_of_logits() -> None:
    logits = oracle(BASIC)["logits"]
    expected = {"logits": np.exp(logits) / np.exp(logits).sum()}
    found = compare_with_expected(network_of(BASIC), PICTURE, expected)
    assert found.explanation is not None
    assert found.explanation.suspect == "probabilities"


def test_a_suspect_that_leaves_most_of_the_difference_is_not_named() -> None:
    network = network_of(BASIC)
    right = network.trace(PICTURE)["layer2.0"]["out"].astype(np.float64)
    wrong = replace(network.stem, batch_norm=replace(network.stem.batch_norm, epsilon=1.3e-4))
    other = replace(network, stem=wrong).trace(PICTURE)["layer2.0"]["out"]
    gap = np.abs(other - right).max() / np.abs(other).max()
    expected = right + (other - right) * (1.1e-3 / gap)  # just beyond the tolerance
    found = compare_with_expected(network, PICTURE, {"layer2.0": expected})
    assert found.first is not None
    assert found.explanation is None
