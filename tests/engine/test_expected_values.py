"""Expected values are compared stage by stage; what cannot be compared is refused."""

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from explorer import InputError, compare_with_expected, load_checkpoint
from explorer.engine.expected_record import TOLERANCE
from tests.checkpoints import Architecture, state_of
from tests.expected import BASIC, PICTURE, ZEROS, network_of, oracle


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


POOLED = Architecture(blocks=(1, 1), bottleneck=True, stem="deep", shortcut="pooled")


@pytest.mark.parametrize(
    ("net", "names"),
    [
        (
            BASIC,
            {"downsample.0": "proj", "downsample.1": "bn_proj", "downsample": "bn_proj"},
        ),
        (BASIC, {"shortcut.convolution": "proj", "shortcut.normalization": "bn_proj"}),
        (ZEROS, {"shortcut": "pad"}),
        (
            POOLED,
            {"downsample.0": "pool", "downsample.1": "proj", "downsample.2": "bn_proj"},
        ),
    ],
)
def test_modules_of_a_shortcut_have_their_names_in_hooks(
    net: Architecture, names: dict[str, str]
) -> None:
    stages = oracle(net)
    expected = {f"layer2.0.{name}": stages[f"layer2.0.{stage}"] for name, stage in names.items()}
    found = compare_with_expected(network_of(net), PICTURE, expected)
    assert found.first is None, found.sentence
    assert {each.name for each in found.differences} == set(expected)
    wrong = {name: array + np.abs(array).max() for name, array in expected.items()}
    assert compare_with_expected(network_of(net), PICTURE, wrong).first is not None


def test_numbers_of_pooled_shortcuts_hold_in_blocks_without_a_pooling() -> None:
    stages = oracle(POOLED)
    expected = {
        "layer1.0.downsample.1": stages["layer1.0.proj"],
        "layer1.0.downsample.2": stages["layer1.0.bn_proj"],
    }
    assert compare_with_expected(network_of(POOLED), PICTURE, expected).first is None


@pytest.mark.parametrize("name", ["layer1.0.downsample", "layer1.0.downsample.0", "downsample.0"])
def test_a_module_that_no_shortcut_has(name: str) -> None:
    with pytest.raises(InputError, match=r"does not have|has no such stage"):
        compare_with_expected(network_of(BASIC), PICTURE, {name: np.ones((4, 5, 4))})


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
