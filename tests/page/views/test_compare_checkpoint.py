"""A checkpoint compared with other pictures, checkpoints and weights, without a browser."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save
from streamlit.testing.v1 import AppTest

from explorer import load_checkpoint
from explorer.engine.fresh_weights import with_fresh_weights
from explorer.engine.network import Network
from explorer.inputs import generate
from explorer.inputs.preprocessing import default_preprocessing, preprocess
from explorer.model.checkpoint import Conventions
from explorer.page.checkpoint_selection import SAMPLE_SIDE
from explorer.records import NetworkTrace
from tests.checkpoints import Architecture, state_of, with_names_of_transformers
from tests.files import colours, picture
from tests.helpers import decoded, figure_messages, messages, notes, page

# The stem of CIFAR networks, for which pictures are resized to 32×32.
NET = Architecture(stem="3x3", max_pool=False)
DATA = save(state_of(NET))
OTHER = save(state_of(NET, seed=1))
EQUAL = "Both are exactly equal in the stem, every block and the logits."


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's folder with two checkpoints of the same layers."""
    for name, data in {"net": DATA, "other": OTHER, "copy": DATA}.items():
        (tmp_path / f"{name}.safetensors").write_bytes(data)
    monkeypatch.setenv("EXPLORER_CHECKPOINTS", str(tmp_path))
    return tmp_path


def trace(data: bytes | Network = DATA, sample: str = "landscape") -> NetworkTrace:
    network = data if isinstance(data, Network) else load_checkpoint(data)
    return network.trace(preprocessed(generate(sample, SAMPLE_SIDE, SAMPLE_SIDE, 3, 0)))


def preprocessed(pixels: np.ndarray) -> np.ndarray:
    return preprocess(pixels, default_preprocessing(3, is_small=True)).normalised


def without_exception(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].message
    return at


def opened(**link: str) -> AppTest:
    settings = {
        "view": "network",
        "network_from": "checkpoint",
        "checkpoint": "net.safetensors",
        "checkpoint_details": "compare",
    }
    return without_exception(page(**settings | link))


def uploaded(at: AppTest, key: str, name: str, data: bytes) -> AppTest:
    at.file_uploader(key=key).upload(name, data, "application/octet-stream")
    return without_exception(at.run())


def assert_compared(at: AppTest, one: NetworkTrace, other: NetworkTrace) -> None:
    """Assert that table and figure are those of the difference of two traces."""
    data = figure_messages(at)["difference_figure"]["figure"]["data"]
    drawn = {each["name"]: decoded(each["z"]) for each in data if "z" in each}
    table = at.dataframe[1].value.set_index("part")
    assert list(table.index) == ["stem", *one.blocks, "logits"]
    np.testing.assert_allclose(
        table["largest |difference|"]["logits"], np.abs(other.logits - one.logits).max(), rtol=1e-5
    )
    for (name, block), also in zip(one.blocks.items(), other.blocks.values(), strict=True):
        for panel, stage in (("F(x)", "bn2"), ("out", "out")):
            gap = also[stage] - block[stage]
            np.testing.assert_allclose(
                drawn[f"{name} {panel}"], gap.mean(axis=2), rtol=1e-4, atol=1e-5
            )
        share = np.linalg.norm(gap) / np.linalg.norm(block["out"])
        np.testing.assert_allclose(table["‖difference‖/‖reference‖"][name], share, rtol=1e-4)
        ratio = np.linalg.norm(also["bn2"]) / np.linalg.norm(also[also.spec.identity or "x"])
        np.testing.assert_allclose(table["‖F‖/‖x‖, other"][name], ratio, rtol=1e-4)


def test_another_sample_picture() -> None:
    at = opened(compare_picture="cells")
    assert_compared(at, trace(), trace(sample="cells"))
    (sentence,) = messages(at, "info")
    assert sentence.startswith("They differ first in the stem, by ")
    assert "landscape" not in at.selectbox(key="compare_picture").options


def test_a_picture_of_ones_own_and_its_link() -> None:
    pixels = colours(40, 40, 3)
    at = uploaded(
        opened(compare_picture="upload"), "compare_picture_file", "p.png", picture(pixels, "PNG")
    )
    found = load_checkpoint(DATA).trace(preprocessed(pixels.astype(np.float32) / 255))
    assert_compared(at, trace(), found)
    digest = at.query_params["compare_picture_digest"]
    copy = opened(compare_picture="upload", compare_picture_digest=digest)
    assert any(f"second picture of digest {digest}" in each for each in messages(copy, "info"))
    other = picture(colours(41, 41, 3), "PNG")
    copy = uploaded(copy, "compare_picture_file", "q.png", other)
    assert any("This is not the second picture of the link" in note for note in notes(copy))


def test_another_checkpoint_of_the_folder() -> None:
    at = opened(compare_with="checkpoint", compare_checkpoint="other.safetensors")
    assert_compared(at, trace(), trace(OTHER))
    assert any("Other: other.safetensors" in note for note in notes(at))
    options = at.selectbox(key="compare_checkpoint").options
    assert options == ["your own file", "copy.safetensors", "other.safetensors"]


def test_the_same_weights_differ_nowhere() -> None:
    at = opened(compare_with="checkpoint", compare_checkpoint="copy.safetensors")
    assert_compared(at, trace(), trace())
    assert messages(at, "info") == [EQUAL]
    table = at.dataframe[1].value
    for column in ("largest |difference|", "relative", "‖difference‖/‖reference‖"):
        assert (table[column] == 0).all()


def test_a_second_upload_and_its_link() -> None:
    at = opened(checkpoint="own", compare_with="checkpoint")
    at = uploaded(at, "checkpoint_file", "mine.safetensors", DATA)
    assert any("Choose the second checkpoint" in each for each in messages(at, "info"))
    at = uploaded(at, "compare_file", "theirs.safetensors", OTHER)
    assert_compared(at, trace(), trace(OTHER))
    digest = at.query_params["compare_digest"]
    assert digest != at.query_params["checkpoint_digest"]
    # The field forgets the file while other details are shown, the session does not.
    at.segmented_control(key="checkpoint_details").set_value("file").run()
    at.segmented_control(key="checkpoint_details").set_value("compare").run()
    assert_compared(without_exception(at), trace(), trace(OTHER))

    copy = opened(compare_with="checkpoint", compare_digest=digest)
    assert any(f"second checkpoint of digest {digest}" in each for each in messages(copy, "info"))
    copy = uploaded(copy, "compare_file", "theirs.safetensors", OTHER)
    assert_compared(copy, trace(), trace(OTHER))
    assert not any("This is not the second" in note for note in notes(copy))


def test_the_second_checkpoint_is_read_with_the_same_conventions() -> None:
    at = opened(compare_with="checkpoint", compare_checkpoint="other.safetensors", epsilon="1e-3")
    one, other = (
        trace(load_checkpoint(data, conventions=Conventions(epsilon=1e-3)))
        for data in (DATA, OTHER)
    )
    assert_compared(at, one, other)


def test_fresh_weights_of_a_seed() -> None:
    at = opened(compare_with="fresh", compare_seed="3")
    fresh = with_fresh_weights(load_checkpoint(DATA), 3)
    assert_compared(at, trace(), trace(fresh))
    assert any("Other: fresh weights of seed 3" in note for note in notes(at))


def test_blocks_of_other_names_are_compared_in_order(folder: Path) -> None:
    (folder / "hf.safetensors").write_bytes(save(with_names_of_transformers(state_of(NET, seed=1))))
    at = opened(compare_with="checkpoint", compare_checkpoint="hf.safetensors")
    assert_compared(at, trace(), trace(OTHER))
    assert any("compared in order: layer1.0 with stages.0.layers.0" in note for note in notes(at))
    assert at.dataframe[1].value["other’s name"][1] == "stages.0.layers.0"


@pytest.mark.parametrize(
    ("net", "sentence"),
    [
        (Architecture(stem="3x3", max_pool=False, widths=(5, 6)), "out of stem is 32×32×4"),
        (Architecture(stem="3x3", max_pool=False, blocks=(2, 2)), "has 3 blocks and the other 4"),
        (Architecture(stem="3x3", max_pool=False, channels=1), "those of the other have 1"),
    ],
    ids=["widths", "blocks", "channels"],
)
def test_checkpoints_of_other_shapes(folder: Path, net: Architecture, sentence: str) -> None:
    (folder / "wide.safetensors").write_bytes(save(state_of(net)))
    at = opened(compare_with="checkpoint", compare_checkpoint="wide.safetensors")
    (error,) = messages(at, "error")
    assert sentence in error
    assert "Choose a " in error
    assert "difference_figure" not in figure_messages(at)


def test_a_block_stage_by_stage() -> None:
    link = {"compare_with": "checkpoint", "compare_checkpoint": "other.safetensors"}
    at = opened(**link)
    assert "difference_block" not in figure_messages(at)
    at = opened(**link, difference_pin="layer2.0 F(x),3,4", compare_channel="5")
    block, other = trace()["layer2.0"], trace(OTHER)["layer2.0"]
    data = figure_messages(at)["difference_block"]["figure"]["data"]
    drawn = {each["name"]: decoded(each["z"]) for each in data if "z" in each}
    for stage in ("conv1", "bn2", "proj", "add", "out"):
        one, two = (each[stage][:, :, 5] for each in (block, other))
        np.testing.assert_allclose(drawn[stage], one, rtol=1e-5)
        np.testing.assert_allclose(drawn[f"other {stage}"], two, rtol=1e-5)
        np.testing.assert_allclose(drawn[f"difference {stage}"], two - one, rtol=1e-4, atol=1e-5)
    table = at.dataframe[2].value.set_index("stage")
    assert list(table.index) == list(other.stages)
    gap = np.abs(other["conv2"] - block["conv2"]).max()
    assert table["largest |difference|"]["conv2"] == pytest.approx(gap, rel=1e-5)


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("compare_with", {}),
        ("compare_picture", {}),
        ("difference_pin", {}),
        ("compare_checkpoint", {"compare_with": "checkpoint"}),
        ("compare_digest", {"compare_with": "checkpoint"}),
        ("compare_seed", {"compare_with": "fresh"}),
        ("compare_picture_digest", {"compare_picture": "upload"}),
        ("compare_channel", {"difference_pin": "layer2.0 out,0,0"}),
        ("compare_show", {"difference_pin": "layer2.0 out,0,0"}),
        ("compare_scope", {"difference_pin": "layer2.0 out,0,0"}),
        ("compare_pin", {"difference_pin": "layer2.0 out,0,0"}),
    ],
)
def test_illegal_parameters_are_ignored_with_a_sentence(key: str, more: dict[str, str]) -> None:
    at = opened(**{key: "<b>1</b>"} | more)
    (warning,) = messages(at, "warning")
    assert f"Ignored URL parameter {key}='<b>1</b>'" in warning
