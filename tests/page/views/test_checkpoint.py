"""The Network view of a checkpoint, and its blocks in the other views, without a browser."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from safetensors.numpy import save
from streamlit.testing.v1 import AppTest

from explorer import class_gradient, load_checkpoint, trace_model
from explorer.analysis.network_health import network_health
from explorer.data import digits
from explorer.engine.network import Network
from explorer.engine.shipped_runs import shipped_run
from explorer.engine.training_settings import TrainingSettings
from explorer.inputs import generate
from explorer.inputs.preprocessing import default_preprocessing, preprocess
from explorer.model.checkpoint import Conventions
from explorer.page import cache, earlier_results
from explorer.page.cache import ResultCache
from explorer.page.checkpoint_selection import SAMPLE_SIDE
from explorer.records import NetworkTrace
from tests.checkpoints import Architecture, state_of, with_names_of_transformers
from tests.files import colours, picture
from tests.helpers import decoded, figure_messages, messages, notes, page

# The stem of CIFAR networks, for which pictures are resized to 32×32.
NET = Architecture(stem="3x3", max_pool=False)
DATA = save(state_of(NET))
OTHER = save(with_names_of_transformers(state_of(NET)))


@pytest.fixture(scope="module")
def network() -> Network:
    return load_checkpoint(DATA)


@pytest.fixture(scope="module")
def trace(network: Network) -> NetworkTrace:
    sample = generate("landscape", SAMPLE_SIDE, SAMPLE_SIDE, 3, 0)
    steps = preprocess(sample, default_preprocessing(3, is_small=True))
    return network.trace(steps.normalised)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's folder, with one checkpoint and a file of another kind."""
    (tmp_path / "net.safetensors").write_bytes(DATA)
    (tmp_path / "notes.txt").write_text("none")
    monkeypatch.setenv("EXPLORER_CHECKPOINTS", str(tmp_path))
    return tmp_path


def without_exception(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].message
    return at


def opened(**link: str) -> AppTest:
    settings = {"view": "network", "network_from": "checkpoint", "checkpoint": "net.safetensors"}
    return without_exception(page(**settings | link))


def uploaded(at: AppTest, name: str, data: bytes) -> AppTest:
    at.file_uploader(key="checkpoint_file").upload(name, data, "application/octet-stream")
    return without_exception(at.run())


def assert_drawn(at: AppTest, trace: NetworkTrace) -> None:
    """Assert that the figure shows the means of F(x) and out of every block."""
    data = figure_messages(at)["checkpoint_figure"]["figure"]["data"]
    drawn = {each["name"]: decoded(each["z"]) for each in data if "z" in each}
    for name, block in trace.blocks.items():
        for panel, stage in (("F(x)", "bn2"), ("out", "out")):
            mean = block[stage].mean(axis=2)
            np.testing.assert_allclose(drawn[f"{name} {panel}"], mean, rtol=1e-4, atol=1e-5)


def test_a_checkpoint_of_the_operators_folder(trace: NetworkTrace) -> None:
    at = opened()
    assert at.selectbox(key="checkpoint").options == ["your own file", "net.safetensors"]
    assert_drawn(at, trace)
    order = np.argsort(-trace.logits)
    table = at.dataframe[0]
    assert list(table.value["class"]) == [f"class {label}" for label in order]
    assert list(table.value["logit"]) == [f"{trace.logits[label]:.2f}" for label in order]
    assert any("net.safetensors: 3 blocks" in note for note in notes(at))


def test_a_block_shows_the_arrays_of_the_networks_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    results = ResultCache(64, 2**28, 600)
    monkeypatch.setattr(cache, "RESULT_CACHE", results)
    settings = {"checkpoint": "net.safetensors", "checkpoint_block": "layer2.0"}
    without_exception(page(view="forward", weights="checkpoint", **settings))
    found = {str(key[0]): results.get(key) for key in results.names()}
    block = found["checkpoint trace"]["layer2.0"]
    for name, stage in found["trace"].trace.stages.items():
        assert stage is block[name]


def test_the_trace_of_another_picture_takes_the_place_of_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results = ResultCache(64, 2**28, 600)
    monkeypatch.setattr(cache, "RESULT_CACHE", results)
    monkeypatch.setattr(earlier_results, "MAX_EARLIER_BYTES", 0)
    at = opened()
    for kind in ("cells", "landscape"):
        without_exception(at.selectbox(key="checkpoint_picture").set_value(kind).run())
        assert [key[0] for key in results.names()].count("checkpoint trace") == 1


def test_preprocessing_is_in_the_link(network: Network) -> None:
    at = opened(small_resize="40", small_crop="24", normalise="half", checkpoint_picture="cells")
    sample = generate("cells", SAMPLE_SIDE, SAMPLE_SIDE, 3, 0)
    usual = default_preprocessing(3, is_small=True)
    half = (0.5, 0.5, 0.5)
    settings = type(usual)(40, 24, half, half)
    assert_drawn(at, network.trace(preprocess(sample, settings).normalised))


def test_the_health_table_is_that_of_the_trace(trace: NetworkTrace) -> None:
    at = opened(checkpoint_details="health")
    table = at.dataframe[1]
    rows = network_health(trace).rows
    assert list(table.value["block"]) == [row.name for row in rows]
    np.testing.assert_allclose(table.value["‖F‖/‖x‖"], [row.ratio for row in rows], atol=5e-4)
    assert list(table.value["dead"]) == [row.dead for row in rows]


def test_the_gradient_of_a_class(network: Network, trace: NetworkTrace) -> None:
    at = opened(checkpoint_details="gradient", gradient_class="2")
    found = class_gradient(network, trace.images, 2)
    table = at.dataframe[1]
    for column, part in (
        ("‖gradient at x‖", "total"),
        ("through the shortcut", "identity"),
        ("through F", "residual"),
    ):
        expected = [np.linalg.norm(getattr(split, part)) for split in found.blocks.values()]
        np.testing.assert_allclose(table.value[column], expected, rtol=1e-5)


def test_the_file_says_what_was_assumed(network: Network) -> None:
    at = opened(checkpoint_details="file")
    shown = notes(at)
    assert network.settings["notes"]
    assert all(note in shown for note in network.settings["notes"])


def with_expected(name: str, data: bytes, **link: str) -> AppTest:
    at = opened(checkpoint_details="expected", **link)
    at.file_uploader(key="expected_file").upload(name, data, "application/octet-stream")
    return without_exception(at.run())


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_expected_values_that_agree(trace: NetworkTrace) -> None:
    outs = {name: np.moveaxis(block["out"], -1, 0)[None] for name, block in trace.blocks.items()}
    at = with_expected("outs.npz", npz(**outs))
    assert messages(at, "info") == ["All 3 stages agree with the expected values exactly."]
    _, table = at.dataframe
    assert list(table.value["stage"]) == list(trace.blocks)
    assert not table.value["departs"].any()
    assert list(table.value["order"]) == ["NCHW"] * 3


def test_expected_values_that_depart(network: Network, trace: NetworkTrace) -> None:
    block = trace["layer2.0"]
    plain = trace_model(
        network.models["layer2.0"].without_shortcut(), block["x"], use_running_average=True
    )
    expected = {"layer1.1": trace["layer1.1"]["out"], "layer2.0": np.asarray(plain["out"])}
    at = with_expected("port.safetensors", save(expected))
    (warning,) = messages(at, "warning")
    assert "The first stage that departs is layer2.0 (after layer1.1, which agrees)" in warning
    assert "the shortcut is not added to F(x), at least in layer2.0" in warning
    _, table = at.dataframe
    gap = np.abs(plain["out"] - block["out"])
    assert table.value["largest difference"][1] == pytest.approx(gap.max())
    at_gap = tuple(table.value.loc[1, ["row", "column", "channel or class"]].astype(int))
    assert at_gap == np.unravel_index(gap.argmax(), gap.shape)


def test_the_picture_can_be_saved_for_another_implementation(
    trace: NetworkTrace, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = []

    def download_button(label: str, data: Any, *others: Any, **style: Any) -> None:
        saved.append(data())

    monkeypatch.setattr(st, "download_button", download_button)
    opened(checkpoint_details="expected")
    np.testing.assert_array_equal(np.load(io.BytesIO(saved[-1])), trace.images)


def test_a_single_array_is_the_stage_that_is_chosen(trace: NetworkTrace) -> None:
    file = io.BytesIO()
    np.save(file, trace["layer2.0"]["out"])
    at = with_expected("out.npy", file.getvalue())
    assert any("have shape 16×16×6; expected 3" in each for each in messages(at, "error"))
    at.selectbox(key="expected_name").set_value("layer2.0").run()
    assert any("The stage agrees" in each for each in messages(without_exception(at), "info"))


def test_the_table_is_of_the_picture_shown(trace: NetworkTrace) -> None:
    data = npz(**{"stem.x": trace.images, "logits": trace.logits})
    at = with_expected("values.npz", data)
    assert not messages(at, "warning")
    at.selectbox(key="checkpoint_picture").set_value("cells").run()
    (warning,) = messages(without_exception(at), "warning")
    assert "departs is stem.x" in warning


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\x80\x04\x95", "is a pickle"),
        (b"", "neither a safetensors nor a .npz file"),
        (npz(**{"<a href=x>": np.ones(3)}), "expected names ?a?href?x?, which the network does"),
        (npz(logits=np.full(3, np.nan)), "logits have NaN"),
        (npz(logits=np.ones(5)), "logits have shape 5; expected 3"),
    ],
    ids=["pickle", "empty", "markup", "NaN", "shape"],
)
def test_expected_values_that_cannot_be_used(data: bytes, sentence: str) -> None:
    at = with_expected("a.npz", data)
    assert any(sentence in each for each in messages(at, "error"))
    assert len(at.dataframe) == 1  # the classes


@pytest.mark.parametrize("view", ["forward", "what_if", "gradients"])
@pytest.mark.parametrize("block", ["layer1.0", "layer2.0"])
def test_a_block_opens_in_every_view(trace: NetworkTrace, view: str, block: str) -> None:
    at = opened(view=view, weights="checkpoint", checkpoint_block=block)
    assert not messages(at, "error")
    if view == "forward":
        data = figure_messages(at)["stages"]["figure"]["data"]
        drawn = {each["name"]: decoded(each["z"]) for each in data if "z" in each}
        np.testing.assert_allclose(drawn["out"], trace[block]["out"][:, :, 0], rtol=1e-6)


def test_depth_says_why_it_cannot_stack_a_checkpoint() -> None:
    at = opened(view="depth", weights="checkpoint")
    assert any("This view stacks blocks" in each for each in messages(at, "error"))


def test_a_file_of_ones_own_and_its_link(trace: NetworkTrace) -> None:
    at = opened(checkpoint="own")
    assert any("Choose the checkpoint of a ResNet" in each for each in messages(at, "info"))
    at = uploaded(at, "mine.safetensors", DATA)
    assert_drawn(at, trace)
    # In another view the field is empty, and the network is still there.
    at.segmented_control(key="view").set_value("forward").run()
    at.segmented_control(key="weights").set_value("checkpoint").run()
    assert any("mine.safetensors" in note for note in notes(without_exception(at)))
    assert not messages(at, "info")


def test_conventions_change_the_network_of_a_file_that_was_chosen_before() -> None:
    at = uploaded(opened(checkpoint="own"), "mine.safetensors", DATA)
    at.segmented_control(key="view").set_value("forward").run()
    at.segmented_control(key="view").set_value("network").run()
    assert at.file_uploader(key="checkpoint_file").value is None
    at.selectbox(key="epsilon").select("1e-3").run()
    found = load_checkpoint(DATA, conventions=Conventions(epsilon=1e-3))
    sample = generate("landscape", SAMPLE_SIDE, SAMPLE_SIDE, 3, 0)
    steps = preprocess(sample, default_preprocessing(3, is_small=True))
    assert_drawn(without_exception(at), found.trace(steps.normalised))
    assert not messages(at, "info")


def test_a_link_names_the_file_to_choose_again() -> None:
    at = opened(checkpoint="own", checkpoint_digest="0123456789abcdef")
    assert any("of digest 0123456789abcdef" in each for each in messages(at, "info"))
    at = uploaded(at, "mine.safetensors", DATA)
    assert any("This is not the checkpoint of the link" in note for note in notes(at))


def test_names_of_transformers_keep_their_blocks() -> None:
    at = uploaded(opened(checkpoint="own"), "hf.safetensors", OTHER)
    data = figure_messages(at)["checkpoint_figure"]["figure"]["data"]
    assert "stages.1.layers.0 out" in {each["name"] for each in data}


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("model.pth", b"\x80\x04\x95", "torch.load"),
        ("a.safetensors", b"\xff" * 100, "expected a .safetensors file"),
        ("a.safetensors", DATA[:-100], "expected a complete file"),
    ],
    ids=["pickle", "noise", "truncated"],
)
def test_files_that_are_no_checkpoint(name: str, data: bytes, sentence: str) -> None:
    at = uploaded(opened(checkpoint="own"), name, data)
    (error,) = messages(at, "error")
    assert sentence in error
    assert at.segmented_control(key="view").value == "network"


def test_a_picture_of_ones_own(network: Network) -> None:
    at = opened(checkpoint_picture="upload")
    assert any("Choose a picture" in each for each in messages(at, "info"))
    pixels = colours(40, 40, 3)
    at.file_uploader(key="file").upload("p.png", picture(pixels, "PNG"), "image/png")
    settings = default_preprocessing(3, is_small=True)
    found = preprocess(pixels.astype(np.float32) / 255, settings)
    assert_drawn(without_exception(at.run()), network.trace(found.normalised))


@pytest.mark.parametrize(
    "key",
    [
        "checkpoint",
        "checkpoint_picture",
        "stride_in",
        "zero_channels",
        "max_pool",
        "epsilon",
        "strides",
        "small_resize",
        "small_crop",
        "normalise",
        "checkpoint_show",
        "checkpoint_scope",
        "checkpoint_details",
    ],
)
def test_illegal_parameters_are_ignored_with_a_sentence(key: str, trace: NetworkTrace) -> None:
    at = opened(**{key: "<b>1</b>"})
    (warning,) = messages(at, "warning")
    assert f"Ignored URL parameter {key}='<b>1</b>'" in warning
    if key != "checkpoint":
        assert "checkpoint_figure" in figure_messages(at)


def test_conventions_change_the_network(network: Network) -> None:
    at = opened(epsilon="1e-3", max_pool="yes")
    found = load_checkpoint(DATA, conventions=Conventions(epsilon=1e-3, max_pool=True))
    # With a pooling the stem halves the picture, so the usual size is that of ImageNet.
    sample = generate("landscape", SAMPLE_SIDE, SAMPLE_SIDE, 3, 0)
    steps = preprocess(sample, default_preprocessing(3, is_small=False))
    assert_drawn(at, found.trace(steps.normalised))


def test_names_of_the_classes(trace: NetworkTrace) -> None:
    at = opened()
    at.file_uploader(key="class_names").upload("names.txt", b"cat\n**dog**\nhen", "text/plain")
    order = np.argsort(-trace.logits)
    names = list(without_exception(at.run()).dataframe[0].value["class"])
    assert names == [["cat", "**dog**", "hen"][label] for label in order]
    at.file_uploader(key="class_names").set_value(("names.txt", b"cat", "text/plain")).run()
    assert any("must have 3 lines" in each for each in messages(at, "error"))


def test_a_network_of_the_train_view_has_its_own_preprocessing(folder: Path) -> None:
    run = shipped_run(TrainingSettings(blocks=3))
    assert run
    run.network.save(folder / "trained.safetensors")
    at = opened(checkpoint="trained.safetensors", checkpoint_picture="digit")
    digit = generate("digit", SAMPLE_SIDE, SAMPLE_SIDE, 1, 0)
    small = digit.reshape(8, 40, 8, 40, 1).mean(axis=(1, 3)) * 16
    data = digits()
    trace = run.network.trace((small - data.mean) / data.deviation)
    assert_drawn(at, trace)
    assert at.dataframe[0].value["class"][0] == str(trace.logits.argmax())


def test_the_strides_of_the_stages(network: Network) -> None:
    at = opened(strides="1, 1")
    found = load_checkpoint(DATA, conventions=Conventions(strides=(1, 1)))
    sample = generate("landscape", SAMPLE_SIDE, SAMPLE_SIDE, 3, 0)
    steps = preprocess(sample, default_preprocessing(3, is_small=True))
    assert_drawn(at, found.trace(steps.normalised))
    at.text_input(key="strides").set_value("1, 3").run()
    assert messages(without_exception(at), "error") == [
        "Strides must be 1 or 2 for every stage, such as 1, 2, 2, 2; got '1, 3'."
    ]
    at.text_input(key="strides").set_value("1").run()
    (sentence,) = messages(without_exception(at), "error")
    assert "strides has 1 values and the network 2 stages" in sentence
