"""Expected values: planted mistakes are found at their stage and named; others are refused."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from explorer import InputError, Network, compare_with_expected, load_checkpoint
from explorer.engine.expected_record import TOLERANCE
from tests import reference
from tests.checkpoints import Architecture, State, run_network, state_of

Stages = dict[str, dict[str, np.ndarray]]
Arrays = dict[str, np.ndarray]

BASIC = Architecture(blocks=(1, 1))
BOTTLENECK = Architecture(blocks=(1, 1), bottleneck=True, stem="3x3", max_pool=False)
ZEROS = Architecture(blocks=(1, 1), shortcut="zeros", stem="3x3", max_pool=False)
PICTURE = np.random.default_rng(1).standard_normal((18, 16, 3), dtype=np.float32)


@cache
def network_of(net: Architecture) -> Network:
    return load_checkpoint(save(state_of(net)))


def oracle(net: Architecture, picture: np.ndarray = PICTURE, state: State | None = None) -> Arrays:
    """Return all stages after x as PyTorch has them, (1, C, H, W)."""
    return flat(run_network(net, state or state_of(net), picture))


def flat(stages: Stages) -> Arrays:
    logits = stages["head"]["logits"][np.newaxis]
    maps = {
        f"{part}.{stage}": np.moveaxis(value, -1, 0)[np.newaxis]
        for part, values in stages.items()
        for stage, value in values.items()
        if part != "head" and stage != "x"
    }
    return maps | {"logits": logits}


def test_a_sound_network_has_no_departing_stage() -> None:
    found = compare_with_expected(network_of(BASIC), PICTURE, oracle(BASIC))
    assert found.first is None
    assert found.explanation is None
    assert max(each.relative for each in found.differences) < 1e-5
    assert "All 21 stages agree" in found.sentence
    assert pickle.loads(pickle.dumps(found)) == found


def test_the_differences_are_in_dataflow_order_whatever_the_order_given() -> None:
    expected = oracle(BASIC)
    found = compare_with_expected(
        network_of(BASIC), PICTURE, {name: expected[name] for name in reversed(expected)}
    )
    names = [each.name for each in found.differences]
    assert names.index("stem.out") < names.index("layer1.0.conv1") < names.index("layer2.0.bn2")
    assert names[-1] == "logits"


def test_the_largest_difference_and_where_it_is() -> None:
    expected = oracle(BASIC)
    changed = expected["layer2.0.out"].copy()
    changed[0, 4, 2, 1] += 7
    found = compare_with_expected(network_of(BASIC), PICTURE, {"layer2.0": changed})
    assert found.first == found.differences[0]
    assert found.first.position == (2, 1, 4)
    assert found.first.largest == pytest.approx(7, rel=1e-5)
    assert found.first.relative == pytest.approx(7 / np.abs(changed).max(), rel=1e-5)
    assert found.first.expected - found.first.found == pytest.approx(7, rel=1e-5)
    assert "7 at row 2, column 1, channel 4" in found.sentence
    assert found.explanation is None
    assert "None of the usual suspects fits" in found.sentence


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_stage_departs_beyond_the_tolerance(factor: float) -> None:
    trace = network_of(BASIC).trace(PICTURE)
    expected = trace["layer1.0"]["bn1"].astype(np.float64)
    expected[np.unravel_index(np.abs(expected).argmax(), expected.shape)] *= 1 + factor * TOLERANCE
    found = compare_with_expected(network_of(BASIC), PICTURE, {"layer1.0.bn1": expected})
    assert (found.first is not None) == (factor > 1)


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


@pytest.mark.parametrize("with_batch", [True, False])
@pytest.mark.parametrize("channels_last", [True, False])
def test_orders_of_axes(with_batch: bool, channels_last: bool) -> None:
    expected = oracle(BASIC)["layer2.0.bn1"][0]
    array = np.moveaxis(expected, 0, -1) if channels_last else expected
    given = {"layer2.0.bn1": array[np.newaxis] if with_batch else array}
    found = compare_with_expected(network_of(BASIC), PICTURE, given)
    assert found.first is None
    assert found.differences[0].layout == ("NHWC" if channels_last else "NCHW")
    assert found.differences[0].note == ""


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_an_ambiguous_shape_is_read_with_the_smaller_difference(layout: str) -> None:
    net = replace(BASIC, stem="3x3", max_pool=False)
    picture = np.ascontiguousarray(PICTURE[:4, :4])  # the stem's maps are 4×4×4
    expected = oracle(net, picture)["stem.bn1"]
    given = expected if layout == "NCHW" else np.moveaxis(expected, 1, -1)
    found = compare_with_expected(network_of(net), picture, {"stem.bn1": given})
    assert found.first is None
    assert found.differences[0].layout == layout
    assert "allows NHWC and NCHW" in found.differences[0].note


def test_a_network_with_nan_departs_where_it_begins() -> None:
    state = state_of(BASIC)
    state["layer1.0.conv1.weight"][2, 0, 1, 1] = np.nan
    found = compare_with_expected(load_checkpoint(save(state)), PICTURE, oracle(BASIC))
    assert found.first is not None
    assert found.first.name == "layer1.0.conv1"
    assert found.first.position == (0, 0, 2)
    assert found.first.largest == found.first.relative == np.inf
    assert "the network has nan at row 0, column 0, channel 2" in found.sentence


def test_expected_zeros() -> None:
    expected = {"layer1.0": np.zeros((1, 4, 5, 4))}
    found = compare_with_expected(network_of(BASIC), PICTURE, expected)
    assert found.first is not None
    assert found.first.relative == np.inf
    assert "where all are expected to be 0" in found.sentence


def test_sizes_that_no_suspect_has() -> None:
    expected = {"layer2.0.bn1": np.ones((1, 6, 7, 7))}
    with pytest.raises(InputError, match=r"layer2\.0\.bn1 have shape 7×7×6; expected 3×2×6 "):
        compare_with_expected(network_of(BASIC), PICTURE, expected)


LEGAL = oracle(BASIC)["layer2.0.out"]
HOSTILE: dict[str, tuple[Any, str]] = {
    "no dict": ([LEGAL], "must be a dict of arrays"),
    "nothing": ({}, "with at least one"),
    "no text": ({3: LEGAL}, "names 3, which the network does not have"),
    "unknown": ({"layer3.0": LEGAL}, "layer3.0, which the network does not have; a name is stem"),
    "unknown stage": ({"layer2.0.bn7": LEGAL}, "its stages are x, conv1, bn1"),
    "markup": ({"<b>[a](b)": LEGAL}, r"names \?b\?\?a\?\?b\?, which"),
    "channels": ({"layer2.0": LEGAL[:, 1:]}, "have shape 1×5×3×2; expected 3×2×6 .* or 6×3×2"),
    "two pictures": ({"layer2.0": np.repeat(LEGAL, 2, 0)}, "pass those of one picture"),
    "logits": ({"logits": np.ones(4)}, "logits have shape 4; expected 3, with"),
    "NaN": ({"layer2.0": LEGAL * np.nan}, "layer2.0 have NaN"),
    "infinite": ({"layer2.0": LEGAL + np.inf}, "layer2.0 have infinite values"),
    "text": ({"layer2.0": "zeros"}, "must hold real numbers"),
    "complex": ({"layer2.0": LEGAL * 1j}, "must hold real numbers"),
    "objects": ({"layer2.0": np.array([None])}, "must hold real numbers"),
    "empty": ({"layer2.0": LEGAL[:, :0]}, "no empty axis"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_cannot_be_compared(case: str) -> None:
    expected, message = HOSTILE[case]
    with pytest.raises(InputError, match=message) as error:
        compare_with_expected(network_of(BASIC), PICTURE, expected)
    assert "\n" not in str(error.value)


def test_a_picture_that_the_network_does_not_accept() -> None:
    with pytest.raises(InputError, match="3 channels"):
        compare_with_expected(network_of(BASIC), PICTURE[..., :2], {"layer2.0": LEGAL})
    with pytest.raises(InputError, match="must be a Network"):
        compare_with_expected(None, PICTURE, {"layer2.0": LEGAL})  # type: ignore[arg-type]


def test_neither_network_nor_arrays_are_changed() -> None:
    network, expected = network_of(BASIC), oracle(replace(BASIC, epsilon=1e-3))
    before = {name: array.copy() for name, array in expected.items()}
    compare_with_expected(network, PICTURE, expected)
    assert all(np.array_equal(before[name], expected[name]) for name in expected)
    assert compare_with_expected(network, PICTURE, oracle(BASIC)).first is None
