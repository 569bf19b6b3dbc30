"""A trained network compared with other pictures, steps, networks and seeds, without a browser."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer import train
from explorer.data import digits
from explorer.engine.network import Network
from explorer.engine.shipped_runs import shipped_run
from explorer.engine.training_settings import TrainingSettings
from explorer.page import cache
from explorer.records import NetworkTrace
from tests.files import picture
from tests.helpers import decoded, figure_messages, messages, notes, page

pytestmark = pytest.mark.usefixtures("no_runs")
DATA = digits()
SETTINGS = TrainingSettings(blocks=3)


def network(variant: str = "v1", step: int = 180) -> Network:
    run = shipped_run(replace(SETTINGS, variant=variant))
    assert run
    return run.at(step)


def without_exception(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].message
    return at


def opened(**link: str) -> AppTest:
    settings = {"view": "network", "net_blocks": "3", "network_details": "compare"}
    return without_exception(page(**settings | link))


def assert_compared(at: AppTest, one: NetworkTrace, other: NetworkTrace) -> None:
    data = figure_messages(at)["difference_figure"]["figure"]["data"]
    drawn = {each["name"]: decoded(each["z"]) for each in data if "z" in each}
    table = at.dataframe[0].value.set_index("part")
    for name, block in one.blocks.items():
        for panel, stage in (("F(x)", "bn2"), ("out", "out")):
            gap = other[name][stage] - block[stage]
            np.testing.assert_allclose(drawn[f"{name} {panel}"], gap[:, :, 0], atol=1e-6)
        assert table["largest |difference|"][name] == pytest.approx(np.abs(gap).max(), rel=1e-5)


def kinds(at: AppTest) -> list[str]:
    return at.segmented_control(key="compare_run").options


def test_another_test_picture() -> None:
    at = opened(compare_number="7", picture="3")
    found = network()
    assert_compared(at, found.trace(DATA.test_images[3]), found.trace(DATA.test_images[7]))
    assert kinds(at) == ["another picture", "another step", "the other network"]


def test_a_picture_of_ones_own() -> None:
    at = opened(compare_picture_from="own")
    assert "Choose a second picture." in messages(at, "info")
    ramp = (np.arange(64).reshape(8, 8) * 4).astype(np.uint8)
    at.file_uploader(key="compare_picture_file").upload("p.png", picture(ramp, "PNG"), "image/png")
    without_exception(at.run())
    low, high = DATA.train_images.min(), DATA.train_images.max()
    pixels = low + (ramp - ramp.min()) / (ramp.max() - ramp.min()) * (high - low)
    found = network()
    other = found.trace(np.asarray(pixels[:, :, None], np.float32))
    one = found.trace(DATA.test_images[0])
    data = figure_messages(at)["difference_figure"]["figure"]["data"]
    drawn = {each["name"]: decoded(each["z"]) for each in data if "z" in each}
    for name, block in one.blocks.items():
        gap = other[name]["out"] - block["out"]
        np.testing.assert_allclose(drawn[f"{name} out"], gap[:, :, 0], rtol=1e-3, atol=1e-3)


def test_the_same_picture_differs_nowhere() -> None:
    at = opened(compare_number="3", picture="3")
    assert messages(at, "info") == [
        "Both are exactly equal in the stem, every block and the logits."
    ]
    assert (at.dataframe[0].value["largest |difference|"] == 0).all()


def test_another_step() -> None:
    at = opened(compare_run="step", compare_step="16")
    one, other = (network(step=step).trace(DATA.test_images[0]) for step in (180, 16))
    assert_compared(at, one, other)
    assert "180" not in at.select_slider(key="compare_step").options
    assert any("after step 16, seed 0, on test picture 0" in note for note in notes(at))


def test_the_other_network_with_means_over_channels() -> None:
    at = opened(compare_run="network", difference_pin="block2 out,1,2")
    one, other = (network(name).trace(DATA.test_images[0]) for name in ("v1", "no_skip"))
    assert_compared(at, one, other)
    # The plain network has no sum.
    stages = at.dataframe[1].value.set_index("stage")
    assert list(stages.index) == list(other["block2"].stages)
    gap = np.abs(other["block2"]["conv1"] - one["block2"]["conv1"]).max()
    assert stages["largest |difference|"]["conv1"] == pytest.approx(gap, rel=1e-5)


def test_train_mode_compares_the_picture_in_its_batch() -> None:
    at = opened(compare_run="network", net_mode="train")
    images = DATA.test_images[:1]
    batch = np.concatenate([images, DATA.train_images[:127]])
    one, other = (
        network(name).trace(batch, use_running_average=False).image(0) for name in ("v1", "no_skip")
    )
    assert_compared(at, one, other)


def test_another_seed_that_has_been_trained() -> None:
    run = train(DATA, blocks=3, seed=5)
    cache.RESULT_CACHE.put(("training run", DATA.key, run.settings), run)
    at = opened()
    assert kinds(at)[-1] == "another seed"
    at.segmented_control(key="compare_run").set_value("seed")
    without_exception(at.run())
    assert at.number_input(key="compare_run_seed").value == 5
    assert at.query_params["compare_run_seed"] == "5"  # elsewhere another seed may be trained
    picture = DATA.test_images[0]
    assert_compared(at, network().trace(picture), run.network.trace(picture))


def test_the_seed_of_the_network_itself_is_refused() -> None:
    at = opened(compare_run="seed", compare_run_seed="0")
    (error,) = messages(at, "error")
    assert error == "Seed 0 is that of the network shown. Choose another seed to compare it with."


def test_a_link_to_a_seed_that_has_not_been_trained() -> None:
    at = opened(compare_run="seed", compare_run_seed="7")
    (error,) = messages(at, "error")
    assert "no such network of seed 7 at step 180; other seeds with these settings: none" in error
    assert "difference_figure" not in figure_messages(at)


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("compare_run", {}),
        ("compare_number", {}),
        ("compare_picture_from", {}),
        ("difference_pin", {}),
        ("compare_step", {"compare_run": "step"}),
        ("compare_run_seed", {"compare_run": "seed"}),
    ],
)
def test_illegal_parameters_are_ignored_with_a_sentence(key: str, more: dict[str, str]) -> None:
    at = opened(**{key: "<b>1</b>"} | more)
    (warning,) = messages(at, "warning")
    assert f"Ignored URL parameter {key}='<b>1</b>'" in warning
