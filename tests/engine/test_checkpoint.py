"""Saved networks and runs come back with the same bits; other files give one sentence."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from explorer import InputError, Network, load_checkpoint, load_run
from explorer.engine.training import Trainer
from explorer.engine.training_run import TrainingRun
from explorer.model.network import NETWORK_VARIANTS
from explorer.model.weight_file import read_weights, write_weights
from tests.checkpoints import Architecture, run_network
from tests.plain_network import PlainNetwork, randomise
from tests.short_runs import pictures, short_run, short_settings

Change = Callable[[dict[str, np.ndarray], dict[str, Any]], None]


def expect_same(one: Network, other: Network) -> None:
    assert one.spec == other.spec
    named = {
        **one.settings,
        **({"name": other.settings["name"]} if "name" in other.settings else {}),
    }
    assert dict(other.settings) == named  # a loaded network has the name of its file
    assert set(one.arrays) == set(other.arrays)
    for name, array in one.arrays.items():
        assert array.tobytes() == other.arrays[name].tobytes(), name
        assert not other.arrays[name].flags.writeable
        assert other.arrays[name].dtype == np.float32


@pytest.mark.parametrize("variant", NETWORK_VARIANTS)
def test_a_network_comes_back_with_the_same_bits(variant: str, tmp_path: Path) -> None:
    network = Network.from_nnx(randomise(PlainNetwork(variant)), variant)
    network.save(tmp_path / "a.safetensors")
    found = load_checkpoint(tmp_path / "a.safetensors")
    expect_same(network, found)
    assert found.variant == variant
    images = pictures().test_images
    np.testing.assert_array_equal(found.logits(images), network.logits(images))


def test_a_network_of_a_run_knows_its_training(tmp_path: Path) -> None:
    short_run().at(2).save(tmp_path / "a")
    found = load_checkpoint(str(tmp_path / "a"))
    expect_same(short_run().at(2), found)
    assert found.settings["step"] == 2
    assert found.settings["learning_rate"] == short_settings().learning_rate
    assert found.settings["mean"] == pictures().mean
    assert found.provenance == load_checkpoint(tmp_path / "a").provenance
    short_run().at(1).save(tmp_path / "b")
    assert found.provenance != load_checkpoint(tmp_path / "b").provenance


def test_a_network_saved_again_is_the_same_file(tmp_path: Path) -> None:
    short_run().network.save(tmp_path / "a")
    load_checkpoint(tmp_path / "a").save(tmp_path / "b")
    one, other = read_weights(tmp_path / "a"), read_weights(tmp_path / "b")
    assert one[1] == other[1]
    assert all(one[0][name].tobytes() == other[0][name].tobytes() for name in one[0])


@pytest.mark.parametrize("variant", NETWORK_VARIANTS)
def test_a_file_with_our_own_names_is_read_too(variant: str, tmp_path: Path) -> None:
    network = Network.from_nnx(randomise(PlainNetwork(variant)), variant)
    write_weights(tmp_path / "a.safetensors", network.arrays, network.file_settings())
    found = load_checkpoint(tmp_path / "a.safetensors")
    expect_same(network, found)
    network.save(tmp_path / "b.safetensors")
    assert found.provenance == load_checkpoint(tmp_path / "b.safetensors").provenance


def test_a_saved_network_is_torchvisions(tmp_path: Path) -> None:
    """The oracle knows only the names and the layout of torchvision."""
    network = short_run(blocks=3).network
    network.save(tmp_path / "a.safetensors")
    state = load_file(tmp_path / "a.safetensors")
    net = Architecture((3,), (4,), (1,), stem="3x3", max_pool=False, bias=True, channels=2)
    for image in pictures().test_images[:2]:
        expected, trace = run_network(net, state, image), network.trace(image)
        for index, name in enumerate(network.blocks):
            stages = expected[f"layer1.{index}"]
            np.testing.assert_allclose(trace[name]["out"], stages["out"], rtol=0, atol=1e-5)
        logits = expected["head"]["logits"]
        np.testing.assert_allclose(trace.logits, logits, rtol=0, atol=1e-5)


def test_without_its_metadata_it_is_the_checkpoint_of_a_resnet(tmp_path: Path) -> None:
    network = short_run().network
    network.save(tmp_path / "a.safetensors")
    (tmp_path / "b.safetensors").write_bytes(save(load_file(tmp_path / "a.safetensors")))
    found = load_checkpoint(tmp_path / "b.safetensors")
    assert found.blocks == ("layer1.0", "layer1.1")
    assert found.settings["notes"]
    images = pictures().test_images
    np.testing.assert_allclose(found.logits(images), network.logits(images), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("variant", "message"),
    [("full_preact", "layer before or after the stages"), ("scaled_skip", "scaled_f")],
)
def test_without_its_metadata_another_variant_is_no_resnet(
    variant: str, message: str, tmp_path: Path
) -> None:
    Network.from_nnx(randomise(PlainNetwork(variant)), variant).save(tmp_path / "a")
    data = save(load_file(tmp_path / "a"))
    with pytest.raises(InputError, match=message):
        load_checkpoint(data)


def expect_same_run(run: TrainingRun, found: TrainingRun) -> None:
    assert found.settings == run.settings
    assert found.dataset == run.dataset
    assert found.snapshots == run.snapshots
    assert set(found.history) == set(run.history)
    for name, array in {**run.history, "at": run.checked_at}.items():
        other = {**found.history, "at": found.checked_at}[name]
        assert (other.tobytes(), other.dtype, other.shape) == (
            array.tobytes(),
            array.dtype,
            array.shape,
        )
        assert not other.flags.writeable
    for step in run.snapshots:
        expect_same(run.at(step), found.at(step))


def test_a_run_comes_back_with_the_same_bits(tmp_path: Path) -> None:
    short_run().save(tmp_path / "a")
    expect_same_run(short_run(), load_run(tmp_path / "a"))


@pytest.mark.parametrize("steps", [0, 2])
def test_a_run_that_was_stopped_comes_back(steps: int, tmp_path: Path) -> None:
    trainer = Trainer(pictures(), short_settings(steps=20))
    for _ in range(steps):
        trainer.step()
    run = trainer.run()
    run.save(tmp_path / "a")
    expect_same_run(run, load_run(tmp_path / "a"))


def test_the_file_of_a_network_is_no_run_and_that_of_a_run_no_network(tmp_path: Path) -> None:
    short_run().save(tmp_path / "run")
    short_run().network.save(tmp_path / "network")
    with pytest.raises(InputError, match=r"no training run; TrainingRun\.save writes one"):
        load_run(tmp_path / "network")
    with pytest.raises(InputError, match="load_run reads it"):
        load_checkpoint(tmp_path / "run")


def test_a_network_of_another_block_is_not_saved(tmp_path: Path) -> None:
    network = short_run().network
    block = replace(network.spec.block, after=())
    other = replace(network, uniform=replace(network.spec, block=block))
    with pytest.raises(InputError, match="is not a variant of networks"):
        other.save(tmp_path / "a")
    assert not list(tmp_path.iterdir())


def contents(run: bool, folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Write a run, or a network with our own names, to `source`; return what the file has."""
    if run:
        short_run().save(folder / "source")
    else:
        network = short_run().network
        write_weights(folder / "source", network.arrays, network.file_settings())
    return read_weights(folder / "source")


def written(folder: Path, arrays: Mapping[str, np.ndarray], settings: Any) -> Path:
    (folder / "changed").write_bytes(save(dict(arrays), {"settings": json.dumps(settings)}))
    return folder / "changed"


def put(name: str, value: Any) -> Change:
    return lambda arrays, settings: arrays.__setitem__(name, value)


def cast(dtype: Any) -> Change:
    def change(arrays: dict[str, np.ndarray], settings: dict[str, Any]) -> None:
        arrays.update({name: array.astype(dtype) for name, array in arrays.items()})

    return change


def drop(name: str) -> Change:
    return lambda arrays, settings: arrays.__delitem__(name)


def say(*path: str, value: Any) -> Change:
    def change(arrays: dict[str, np.ndarray], settings: dict[str, Any]) -> None:
        place = settings
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value

    return change


def many(arrays: dict[str, np.ndarray], settings: dict[str, Any]) -> None:
    arrays.update({f"block{n}.conv1.bias": np.zeros(1, np.float32) for n in range(9_000)})


def unnamed(arrays: dict[str, np.ndarray], settings: dict[str, Any]) -> None:
    named = {f"part{n}\n": np.zeros(1, np.float32) for n in range(9_000)}
    arrays.clear()
    arrays.update(named)


ZERO = np.zeros(4, np.float32)
BAD_NETWORKS: dict[str, tuple[Change, str]] = {
    "array missing": (drop("block2.conv1.bias"), "block2.conv1.bias is missing; expected"),
    "part missing": (drop("head.kernel"), "needs a stem with a 3×3 convolution and a linear"),
    "statistic missing": (drop("block1.bn1.var"), "block1.bn1.var is missing"),
    "unknown array": (put("block2.conv3.bias", ZERO), "has 'block2.conv3.bias', which its"),
    "unknown block": (put("block9.conv1.bias", ZERO), "block3.* is missing"),
    "unknown statistic": (put("mean", ZERO), "has 'mean', which its variant does not have"),
    "array for a part": (put("stem", ZERO), "within an array|twice"),
    "part for an array": (put("stem.conv.kernel.a", ZERO), "within an array|twice"),
    "other shape": (put("block1.bn1.scale", np.zeros(5, np.float32)), r"has shape \(5,\)"),
    "no axes": (put("head.kernel", np.zeros((), np.float32)), "needs a stem"),
    "empty": (put("block1.bn1.scale", np.zeros(0, np.float32)), "integers of at least 1"),
    "width 3": (put("stem.conv.kernel", np.zeros((3, 3, 2, 3), np.float32)), "width must be"),
    "5×5": (put("stem.conv.kernel", np.zeros((5, 5, 2, 4), np.float32)), "has shape .5, 5"),
    "long name": (put("x" * 10**5, ZERO), "has 'x*…, which its variant|blocks must|is missing"),
    "thousands of arrays": (many, "blocks must be an integer from 0 to 54, got 9000"),
    "no known name": (unnamed, "needs a stem"),
    "unknown variant": (say("variant", value="v2"), "variant must be one of v1, .*; got 'v2'"),
    "variant not of networks": (say("variant", value="bottleneck"), "variant must be one of"),
    "no variant": (say("variant", value=None), "variant must be one of .* got None"),
    "variant of other layers": (say("variant", value="full_preact"), "final.* is missing"),
    "ε of text": (say("batch_norm", "epsilon", value="a"), "epsilon must be a real number"),
    "ε of NaN": (say("batch_norm", "epsilon", value=float("nan")), "epsilon must be a real"),
    "momentum 10³⁰⁰": (say("batch_norm", "momentum", value=1e300), "momentum must be a real"),
    "BatchNorm's settings": (
        say("batch_norm", value=[1]),
        "batch_norm must have epsilon and momentum, got",
    ),
    "unknown setting": (
        say("batch_norm", "axis", value=1),
        "batch_norm must have epsilon and momentum, got",
    ),
    "settings": (say("settings", value=[1]), "settings must be a dict, got"),
}
BAD_RUNS: dict[str, tuple[Change, str]] = {
    "no history": (drop("history.train loss"), "has no training loss"),
    "history missing": (drop("history.branch ratio"), "history of 'branch ratio' must be"),
    "history of float64": (
        put("history.train accuracy", np.zeros(3)),
        r"must be \('float32', \(3,\)\), got \('float64', \(3,\)\)",
    ),
    "history of another length": (
        put("history.train accuracy", np.zeros(4, np.float32)),
        r"got \('float32', \(4,\)\)",
    ),
    "history of another depth": (
        put("history.gradient norm", np.zeros((3, 5), np.float32)),
        r"must be \('float32', \(3, 2\)\)",
    ),
    "unknown history": (put("history.a", ZERO), "history of 'a' must be absent"),
    "nested history": (put("history.train loss.a", ZERO), "within an array|twice"),
    "checked before the start": (put("checked_at", np.array([0, 1, 2], np.int32)), "checked at"),
    "checked after the end": (put("checked_at", np.array([1, 2, 4], np.int32)), "checked at"),
    "nested checks": (put("checked_at.a", np.ones(3, np.int32)), "within an array|twice"),
    "no step": (put("step.stem.conv.bias", ZERO), "must hold networks by their steps"),
    "negative step": (put("step-1.stem.conv.bias", ZERO), "must hold networks by their steps"),
    "step with zeros": (put("step01.stem.conv.bias", ZERO), "must hold networks by their steps"),
    "step of 5,000 digits": (put(f"step{'9' * 5000}.stem.conv.bias", ZERO), "must hold networks"),
    "step after the last": (put("step4.stem.conv.bias", ZERO), "must hold networks by their"),
    "array of a step": (put("step9", ZERO), "must hold networks by their steps"),
    "array missing": (drop("step2.head.bias"), "head.bias is missing"),
    "no settings": (say("training", value=None), "settings of the training must be blocks, width"),
    "unknown setting": (say("training", "depth", value=1), "settings of the training must be"),
    "steps of text": (say("training", "steps", value="3"), "steps must be an integer"),
    "fewer steps": (say("training", "steps", value=2), "has 3 steps, checked at .* has 2"),
    "rate of NaN": (say("training", "learning_rate", value=float("nan")), "learning_rate must"),
    "blocks of a list": (say("training", "blocks", value=[2]), "blocks must be an integer"),
    "other blocks": (say("training", "blocks", value=3), "gradient norm"),
    "other width": (say("training", "width", value=5), r"its training \('v1', 2, 5\)"),
    "other variant": (say("training", "variant", value="no_skip"), r"\('no_skip', 2, 4\)"),
    "data set of text": (say("dataset", value="digits"), "must be a list of texts"),
    "data set of lists": (say("dataset", value=[[1]]), "must be a list of texts"),
    "settings": (say("settings", value=[1]), "settings must be a dict, got"),
    "variant": (say("variant", value=3), "variant must be one of"),
}


def expect_sentence(read: Callable[[Path], Any], path: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    expect_one_line(str(caught.value))


def expect_one_line(text: str) -> None:
    assert len(text.splitlines()) == 1
    assert len(text) < 400


@pytest.mark.parametrize(("change", "message"), BAD_NETWORKS.values(), ids=BAD_NETWORKS)
def test_files_of_no_network_give_one_sentence(
    change: Change, message: str, tmp_path: Path
) -> None:
    arrays, settings = contents(False, tmp_path)
    change(arrays, settings)
    expect_sentence(load_checkpoint, written(tmp_path, arrays, settings), message)


BAD_TORCH_NAMES: dict[str, tuple[Change, str]] = {
    "array missing": (drop("layer1.1.conv1.bias"), "block2.conv1.bias is missing; expected"),
    "head missing": (drop("fc.weight"), "needs a stem with a 3×3 convolution and a linear head"),
    "unknown layer": (put("layer1.1.conv3.bias", ZERO), "has 'block2.conv3.bias', which its"),
    "second stage": (put("layer2.0.conv1.bias", ZERO), "expected names such as layer1"),
    "block with zeros": (put("layer1.01.conv1.bias", ZERO), "expected names such as layer1"),
    "our own name": (put("layer1.0.conv1.kernel", ZERO), "expected names such as layer1"),
    "our own block": (put("block1.conv1.bias", ZERO), "has an array 'block1.conv1.bias'"),
    "no layer": (put("weight", ZERO), "expected names such as layer1"),
    "long name": (put("x" * 10**5, ZERO), "has an array 'x*…; expected names"),
    "other layout": (put("fc.weight", np.zeros((4, 3), np.float32)), r"head.bias has shape \(3,\)"),
    "scalar": (put("bn1.weight", np.zeros((), np.float32)), r"stem.bn.scale has shape \(\)"),
    "three axes": (put("bn1.weight", np.zeros((1, 1, 4), np.float32)), "stem.bn.scale has shape"),
    "norm of two axes": (put("bn1.weight", np.zeros((1, 4), np.float32)), "stem.bn.scale is missi"),
    "unknown names": (say("names", value="timm"), "names must be one of torchvision|be torchvis"),
    "names of a list": (say("names", value=[1]), "names must be"),
}


@pytest.mark.parametrize(("change", "message"), BAD_TORCH_NAMES.values(), ids=BAD_TORCH_NAMES)
def test_files_with_torchvisions_names_give_one_sentence(
    change: Change, message: str, tmp_path: Path
) -> None:
    short_run().network.save(tmp_path / "source")
    arrays, settings = read_weights(tmp_path / "source")
    change(arrays, settings)
    expect_sentence(load_checkpoint, written(tmp_path, arrays, settings), message)


@pytest.mark.parametrize(("change", "message"), BAD_RUNS.values(), ids=BAD_RUNS)
def test_files_of_no_run_give_one_sentence(change: Change, message: str, tmp_path: Path) -> None:
    arrays, settings = contents(True, tmp_path)
    change(arrays, settings)
    expect_sentence(load_run, written(tmp_path, arrays, settings), message)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64, np.uint8, bool])
def test_arrays_of_other_types_become_float32(dtype: Any, tmp_path: Path) -> None:
    arrays, settings = contents(False, tmp_path)
    cast(dtype)(arrays, settings)
    found = load_checkpoint(written(tmp_path, arrays, settings))
    for name, array in found.arrays.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, arrays[name].astype(np.float32))


def test_values_beyond_float32_are_infinite(tmp_path: Path) -> None:
    arrays, settings = contents(False, tmp_path)
    arrays["head.bias"] = np.array([1e300, np.nan, 0])
    found = load_checkpoint(written(tmp_path, arrays, settings)).arrays["head.bias"]
    np.testing.assert_array_equal(found, np.array([np.inf, np.nan, 0], np.float32))


@pytest.mark.parametrize("run", [False, True], ids=["network", "run"])
def test_changed_or_cut_files_are_read_or_refused(run: bool, tmp_path: Path) -> None:
    contents(run, tmp_path)
    data, rng = (tmp_path / "source").read_bytes(), random.Random(0)
    header = 8 + int.from_bytes(data[:8], "little")
    read = refused = 0
    for case in range(300):
        changed = bytearray(data)
        for _ in range(rng.choice([1, 1, 3])):  # most of them in the header
            end = len(data) if case % 5 == 0 else header
            changed[rng.randrange(end)] ^= rng.randrange(1, 256)
        if case % 10 == 1:
            del changed[rng.randrange(len(changed)) :]
        (tmp_path / "changed").write_bytes(changed)
        try:
            (load_run if run else load_checkpoint)(tmp_path / "changed")
            read += 1
        except InputError as error:
            expect_one_line(str(error))
            refused += 1
    assert min(read, refused) > 10, (read, refused)
