import copy
import pickle
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from explorer import VARIANTS, InputError, Network, digits, trace_model
from explorer.engine import network as network_module
from explorer.engine import network_parts
from explorer.engine.network import FromNetwork
from explorer.engine.shipped_runs import shipped_run
from explorer.engine.training_settings import TrainingSettings
from explorer.model.layers import BatchNormSettings
from explorer.model.network import NETWORK_VARIANTS, NetworkSpec
from explorer.records import NetworkTrace
from tests.helpers import noise
from tests.plain_network import PlainNetwork, randomise, weights_of
from tests.short_runs import digits_run, pictures, short_run

IMAGES, LABELS = pictures().test_images, pictures().test_labels
IMAGE = IMAGES[0]
SPEC = NetworkSpec(VARIANTS["v1"], blocks=2, width=4, channels=2, classes=3)


def network_of(variant: str = "v1", blocks: int = 2) -> tuple[Network, PlainNetwork]:
    """Return the network of a plain NNX module, and the module."""
    plain = randomise(PlainNetwork(variant, blocks))
    return Network.from_nnx(plain, variant), plain


def plain_copy(network: Network) -> PlainNetwork:
    spec = network.spec
    plain = PlainNetwork(
        network.variant, spec.blocks, spec.width, spec.channels, spec.classes, seed=1
    )
    return plain.set(network.parameters, network.statistics)


def expect_close(found: Any, expected: Any) -> None:
    """Compare within 1e-5, or of the largest value where that is above 1."""
    largest = float(np.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * max(1, largest))


def expect_trace(trace: NetworkTrace, plain: PlainNetwork, images: Any, in_eval: bool) -> None:
    """Compare a trace, stage by stage, with plain NNX."""
    stem, blocks, logits = plain.run(images, in_eval)
    streams = [stem, *(block["out"] for block in blocks)]
    assert list(trace.stream) == ["stem", *trace.blocks]
    for found, stream in zip(trace.stream.values(), streams, strict=True):
        expect_close(found, stream)
    for block, stages in zip(trace.blocks.values(), blocks, strict=True):
        assert set(block.stages) == set(stages)
        for name, stage in stages.items():
            expect_close(block[name], stage)
    for found, stream in zip(trace.lens.values(), streams, strict=True):
        expect_close(found, plain.logits(stream, in_eval))
    expect_close(trace.logits, logits)


def trained_network(variant: str, blocks: int) -> tuple[Network, np.ndarray]:
    """Return a trained network and a picture for it; deep ones are shipped."""
    if blocks == 2:
        return short_run(variant, blocks).network, IMAGE
    run = shipped_run(TrainingSettings(blocks=blocks, variant=variant))
    assert run
    return run.network, digits().test_images[0]


@pytest.mark.parametrize(
    ("variant", "blocks"), [*((name, 2) for name in NETWORK_VARIANTS), ("v1", 8), ("v1", 27)]
)
def test_the_trace_of_a_run_is_that_of_plain_nnx(variant: str, blocks: int) -> None:
    network, image = trained_network(variant, blocks)
    trace = network.trace(image)
    assert trace.use_running_average
    assert tuple(trace.blocks) == network.blocks
    assert len(network.blocks) == blocks
    expect_trace(trace, plain_copy(network), image, True)


@pytest.mark.parametrize("variant", ["v1", "full_preact"])
@pytest.mark.parametrize("in_eval", [True, False])
def test_the_trace_of_a_batch_is_that_of_plain_nnx(variant: str, in_eval: bool) -> None:
    network, plain = network_of(variant)
    trace = network.trace(IMAGES, use_running_average=in_eval)
    assert trace.use_running_average is in_eval
    expect_trace(trace, plain, IMAGES, in_eval)
    np.testing.assert_array_equal(trace.images, IMAGES)


def test_a_block_of_the_trace_is_that_of_its_model_alone() -> None:
    network, _ = network_of()
    trace = network.trace(IMAGE)
    block = trace["block2"]
    np.testing.assert_array_equal(block["x"], trace["block1"]["out"])
    alone = trace_model(network.models["block2"], block["x"], use_running_average=True)
    assert alone.digest() == block.digest()
    assert block.model.key == network.models["block2"].key
    np.testing.assert_array_equal(
        block.norms["bn1"].mean, network.statistics["block2"]["bn1"]["mean"]
    )


def test_the_lens_ends_in_the_logits_and_gives_probabilities() -> None:
    network, _ = network_of()
    trace = network.trace(IMAGES)
    assert list(trace.lens) == list(trace.stream)
    np.testing.assert_array_equal(trace.logits, trace.lens["block2"])
    for name, logits in trace.lens.items():
        assert logits.shape == (6, 3)
        exps = np.exp(logits.astype(np.float64))
        expected = exps / exps.sum(-1, keepdims=True)
        np.testing.assert_allclose(trace.probabilities[name], expected, rtol=1e-5)
    expect_close(trace.logits, network.logits(IMAGES))


def test_a_trace_is_read_only_and_keeps_no_array_of_the_caller() -> None:
    given = IMAGE.copy()
    network, _ = network_of()
    trace = network.trace(given)
    given[...] = 0
    np.testing.assert_array_equal(trace.images, IMAGE)
    arrays = [trace.images, *trace.lens.values(), *trace.stream.values(), trace["block1"]["x"]]
    assert not any(array.flags.writeable for array in arrays)


def test_a_blocks_x_is_the_output_before_it_without_a_copy() -> None:
    network, image = short_run().network, pictures().test_images[0]
    trace = network.trace(image)
    for before, after in (("stem", "block1"), ("block1", "block2")):
        assert np.shares_memory(trace.stream[before], trace[after]["x"])
    assert not np.shares_memory(trace.images, image)
    view = image.view()
    view.setflags(write=False)
    assert not np.shares_memory(network.trace(view).stem["x"], image)


def test_the_models_of_blocks_name_network_and_block() -> None:
    network, _ = network_of()
    provenance = network.models["block2"].provenance
    assert provenance == FromNetwork(network.provenance, "block2")
    assert "block2" in str(provenance)
    assert len({model.key for model in network.models.values()}) == 2
    assert network.models["block1"].batch_norm.momentum == 0.9


def test_logits_predictions_and_accuracy_are_those_of_a_plain_loop() -> None:
    network, plain = network_of("full_preact")
    images = noise((270, 6, 5, 2))  # more than are run at once
    labels = np.arange(270) % 3
    expected = np.stack([plain.run(image, True)[2] for image in images])
    expect_close(network.logits(images), expected)
    np.testing.assert_array_equal(network.predict(images), expected.argmax(-1))
    right = sum(int(row.argmax() == label) for row, label in zip(expected, labels, strict=True))
    assert network.accuracy(images, labels) == right / 270
    assert 0 < right < 270


@pytest.mark.parametrize(
    "order", [[1, 3], [2, 1, 3], [3, 2, 1], [2], [1, 1, 2, 3]], ids=lambda order: str(order)
)
def test_deleted_and_swapped_blocks_are_those_of_plain_nnx(order: list[int]) -> None:
    network, plain = network_of("v1", 3)
    found = network.logits(IMAGES, [f"block{number}" for number in order])
    expect_close(found, plain.run(IMAGES, True, order)[2])
    assert np.abs(found - network.logits(IMAGES)).max() > 1e-3


def test_without_blocks_the_head_reads_the_stem() -> None:
    network, plain = network_of()
    expected = plain.logits(plain.run(IMAGES, True)[0], True)
    expect_close(network.logits(IMAGES, ()), expected)


def test_stem_and_head_are_compiled_once_for_all_depths() -> None:
    networks = [network_of("v1", blocks)[0] for blocks in (1, 2)]
    networks[0].logits(IMAGES)
    programs: list[Any] = [network_parts._run_block, network_parts._run_head]
    before = [program._cache_size() for program in programs]
    networks[1].logits(IMAGES)
    assert [program._cache_size() for program in programs] == before


def test_a_trace_that_would_need_too_much_memory_is_refused() -> None:
    network = Network.from_seed(0, NetworkSpec(VARIANTS["v1"], 54, 32, 1, 2))
    with pytest.raises(InputError, match=r"would have 1,811,939,328 values; the limit is 134,2"):
        network.trace(np.zeros((128, 32, 32, 1), np.float32), use_running_average=False)


def test_large_pictures_are_run_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    network, plain = network_of()
    expected = plain.run(IMAGES, True)[2]
    sizes = []

    def run(model: Any, h: Any) -> Any:
        if model is network.stem:
            sizes.append(len(h))
        return network_parts.run_block(model, h)

    monkeypatch.setattr(network_module, "run_block", run)
    monkeypatch.setattr(network_module, "MAX_STREAM_VALUES", 5 * 6 * 5 * 4)
    expect_close(network.logits(IMAGES), expected)
    assert sizes == [5, 5]


@pytest.mark.parametrize("variant", ["v1", "full_preact"])
def test_recalibrated_statistics_are_those_of_the_batch_in_nnx(variant: str) -> None:
    """With momentum 0, NNX's running statistics are the batch's."""
    network, plain = network_of(variant)
    found = network.recalibrated(IMAGES)
    for _, module in nnx.iter_graph(plain):
        if isinstance(module, nnx.BatchNorm):
            module.momentum = 0.0
    plain.run(IMAGES, False)
    expected = weights_of(plain)
    for name, array in found.arrays.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-5, atol=1e-6, err_msg=name)
        assert not array.flags.writeable
    assert found.spec == network.spec
    in_train = network.trace(IMAGES, use_running_average=False)
    expect_close(found.logits(IMAGES), in_train.logits)
    assert found.provenance != network.provenance
    assert found.provenance == network.recalibrated(IMAGES).provenance
    assert found.provenance != network.recalibrated(IMAGES[1:]).provenance


def test_running_and_batch_statistics_give_the_same_accuracy_after_training() -> None:
    network, data = digits_run().network, digits()
    found = network.accuracy(data.test_images, data.test_labels)
    logits = network.trace(data.test_images, use_running_average=False).logits
    of_batch = float(np.mean(logits.argmax(-1) == data.test_labels))
    recalibrated = network.recalibrated(data.train_images)
    assert found > 0.9
    assert abs(found - of_batch) <= 0.02
    assert abs(found - recalibrated.accuracy(data.test_images, data.test_labels)) <= 0.02
    assert digits_run().history["test accuracy"][-1] == np.float32(found)


@pytest.mark.parametrize("variant", NETWORK_VARIANTS)
def test_the_network_of_a_module_has_its_weights(variant: str) -> None:
    network, plain = network_of(variant)
    weights = weights_of(plain)
    assert network.variant == variant
    assert {name for name in network.arrays if not name.endswith("factor")} == set(weights)
    for name, array in network.arrays.items():
        np.testing.assert_array_equal(array, weights.get(name, 0.5))
    expect_trace(network.trace(IMAGE), plain, IMAGE, True)


def test_a_module_is_not_changed_and_not_read_again() -> None:
    network, plain = network_of()
    before = weights_of(plain)
    network.trace(IMAGES, use_running_average=False)
    network.recalibrated(IMAGES)
    for name, array in weights_of(plain).items():
        np.testing.assert_array_equal(array, before[name])
    kept = network.logits(IMAGES)
    randomise(plain, 5)
    np.testing.assert_array_equal(network.logits(IMAGES), kept)


def test_the_settings_of_a_modules_norms_are_kept() -> None:
    plain = randomise(PlainNetwork())
    for _, module in nnx.iter_graph(plain):
        if isinstance(module, nnx.BatchNorm):
            module.epsilon, module.momentum = 0.1, 0.5
    network = Network.from_nnx(plain)
    assert network.spec.batch_norm == BatchNormSettings(epsilon=0.1, momentum=0.5)
    expect_trace(network.trace(IMAGE), plain, IMAGE, True)


def test_dropout_of_a_module_is_ignored_in_eval_mode() -> None:
    plain: Any = randomise(PlainNetwork())
    plain.dropout = nnx.Dropout(0.5, rngs=nnx.Rngs(0))
    assert Network.from_nnx(plain).logits(IMAGES).shape == (6, 3)


def other_epsilon(plain: Any) -> None:
    plain.block2.bn1.epsilon = 1e-3


def other_part(plain: Any) -> None:
    plain.extra = nnx.Linear(4, 4, rngs=nnx.Rngs(0))


def one_block_twice(plain: Any) -> None:
    plain.block2 = plain.block1


def one_layer_twice(plain: Any) -> None:
    plain.block2.conv2 = plain.block2.conv1


def gap(plain: Any) -> None:
    plain.block4 = plain.block2
    del plain.block2


def conv(**settings: Any) -> Any:
    def change(plain: Any) -> None:
        given: dict[str, Any] = {"kernel_size": (3, 3), "rngs": nnx.Rngs(0)} | settings
        plain.block1.conv1 = nnx.Conv(4, 4, **given)

    return change


def without(part: str, layer: str) -> Any:
    def change(plain: Any) -> None:
        delattr(getattr(plain, part) if part else plain, layer)

    return change


def complex_head(plain: Any) -> None:
    plain.head.bias[...] = jnp.zeros(3)
    plain.head.bias = nnx.Param(jnp.zeros(3, complex))


def wide_head(plain: Any) -> None:
    plain.head = nnx.Linear(5, 3, rngs=nnx.Rngs(0))


def deep_head(plain: Any) -> None:
    plain.head = nnx.Linear(4, 21, rngs=nnx.Rngs(0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("", "stem"), "needs a stem with a 3×3 convolution and a linear head"),
        (without("", "head"), "needs a stem with a 3×3 convolution and a linear head"),
        (without("stem", "conv"), "needs a stem"),
        (without("stem", "bn"), r"stem\.bn\.[a-z]+ is missing; expected \(4,\)"),
        (without("block1", "bn2"), r"block1\.bn2\.[a-z]+ is missing"),
        (other_part, "extra|block3.* is missing"),
        (other_epsilon, "block2.bn1 has ε 0.001 and momentum 0.9"),
        (one_block_twice, "one part under two names"),
        (one_layer_twice, r"block2\.conv2\.[a-z]+ is missing"),
        (gap, r"block2\.[a-z0-9.]+ is missing"),
        (conv(kernel_size=(1, 1)), r"block1.conv1.kernel has shape \(1, 1, 4, 4\), expected \(3"),
        (conv(use_bias=False), "block1.conv1.bias"),
        (conv(strides=2), "block1.conv1 has strides 2, expected 1"),
        (conv(strides=(1, 2)), r"block1.conv1 has strides \(1, 2\), expected 1"),
        (conv(kernel_dilation=2), "block1.conv1 has kernel_dilation 2, expected 1"),
        (conv(feature_group_count=2), "feature_group_count 2, expected 1"),
        (conv(padding="VALID"), "block1.conv1 has padding 'VALID', expected 'SAME'"),
        (conv(padding="CIRCULAR"), "has padding 'CIRCULAR', expected 'SAME'"),
        (complex_head, "head.bias must hold real numbers"),
        (wide_head, r"head.kernel has shape \(5, 3\), expected \(4, 3\)"),
        (deep_head, "classes must be an integer from 2 to 20, got 21"),
    ],
)
def test_modules_of_another_shape_are_refused(change: Any, message: str) -> None:
    plain = PlainNetwork()
    change(plain)
    with pytest.raises(InputError, match=message) as caught:
        Network.from_nnx(plain)
    assert len(str(caught.value).splitlines()) == 1


def test_a_module_of_another_variant_is_refused() -> None:
    with pytest.raises(InputError, match=r"final.* is missing"):
        Network.from_nnx(PlainNetwork("v1"), "full_preact")
    with pytest.raises(InputError, match=r"'final.*', which its variant does not have"):
        Network.from_nnx(PlainNetwork("full_preact"), "v1")
    with pytest.raises(InputError, match=r"variant must be one of v1, .* got 'bottleneck'"):
        Network.from_nnx(PlainNetwork(), "bottleneck")
    with pytest.raises(InputError, match=r"module must be an nnx\.Module, got 'v1'"):
        Network.from_nnx("v1")  # type: ignore[arg-type]


def test_blocks_in_a_list_are_refused() -> None:
    plain: Any = PlainNetwork()
    plain.blocks = nnx.List([plain.block1, plain.block2])
    del plain.block1, plain.block2
    with pytest.raises(InputError, match=r"block1.* is missing"):
        Network.from_nnx(plain)


@pytest.mark.parametrize(
    ("parameters", "statistics", "message"),
    [
        ([], {}, "must be nested dicts"),
        ({}, None, "must be nested dicts"),
        ({"stem": 3}, {}, "needs a stem"),
        ({"stem": {"conv": {"kernel": np.zeros((3, 3, 2, 4))}}, "head": 3}, {}, "needs a stem"),
    ],
)
def test_weights_that_are_no_network_are_refused(
    parameters: Any, statistics: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Network.from_arrays(VARIANTS["v1"], parameters, statistics)


def test_equal_arrays_have_equal_provenance() -> None:
    one, _ = network_of()
    again = Network.from_arrays(one.spec.block, one.parameters, one.statistics)
    assert one.provenance == again.provenance
    changed = {**one.parameters, "head": {**one.parameters["head"], "bias": np.ones(3)}}
    other = Network.from_arrays(one.spec.block, changed, one.statistics)
    assert one.provenance != other.provenance
    assert hash(one.provenance) == hash(again.provenance)


def test_seeds_fix_fresh_networks() -> None:
    one, again, other = (Network.from_seed(seed, SPEC) for seed in (3, 3, 4))
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, again.arrays[name])
    assert one.provenance == again.provenance != other.provenance
    assert one.provenance != Network.from_seed(3, SPEC, "lecun").provenance
    assert not np.array_equal(one.logits(IMAGES), other.logits(IMAGES))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[..., :1], "images must have 2 channels in the last axis"),
        (IMAGES[0, 0], "images must have 3 or 4 axes, got 2"),
        (IMAGES[:0], "no empty axis"),
        (IMAGES.astype(str), "must hold real numbers"),
        (np.zeros((2**11, 2**11, 2), np.float16), "would have 16,777,216|would have 33,|values"),
    ],
)
def test_images_that_a_network_cannot_run_are_refused(images: Any, message: str) -> None:
    network, _ = network_of()
    if images.shape[:2] == (2**11, 2**11):
        images = np.broadcast_to(images[:1], (2**11 + 1, 2**11, 2))
    with pytest.raises(InputError, match=message):
        network.trace(images)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (["block3"], "order must be one of block1, block2; got 'block3'"),
        ([1], "order must be one of block1, block2; got 1"),
        ("block1", "order must be a list of names of blocks, got 'block1'"),
        (3, "order must be a list of names of blocks, got 3"),
    ],
)
def test_orders_of_no_blocks_are_refused(order: Any, message: str) -> None:
    network, _ = network_of()
    with pytest.raises(InputError, match=message):
        network.logits(IMAGES, order)


@pytest.mark.parametrize(
    "labels", [LABELS[:-1], LABELS.astype(float), LABELS[:, None], LABELS.astype(str), "abc", None]
)
def test_labels_that_do_not_fit_are_refused(labels: Any) -> None:
    network, _ = network_of()
    with pytest.raises(InputError, match="labels must be 6 integers"):
        network.accuracy(IMAGES, labels)


def test_a_copy_of_a_network_runs_as_the_network() -> None:
    network, _ = network_of()
    network.models  # noqa: B018 - cached, and part of what is pickled
    for found in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):
        np.testing.assert_array_equal(found.logits(IMAGES), network.logits(IMAGES))
        assert found.provenance == network.provenance
