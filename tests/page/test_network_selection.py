"""A block of a trained network in the views of one block."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.data import digits
from explorer.engine.gradients import cotangent_of, split_trace
from explorer.engine.network import Network
from explorer.engine.propagation import propagate_stack
from explorer.engine.shipped_runs import shipped_run
from explorer.engine.stack import Stack
from explorer.engine.training_settings import TrainingSettings
from explorer.page.views.forward_details import DETAILS
from explorer.records import NetworkTrace
from tests.helpers import PANELS, control, decoded, digest, figure_messages, messages, notes, page

pytestmark = pytest.mark.usefixtures("no_runs")
DATA = digits()
LINK = {"weights": "network", "net_blocks": "3"}
MODES = "eval", "train"


def network(variant: str = "v1", step: int = 180, blocks: int = 3) -> Network:
    run = shipped_run(TrainingSettings(blocks=blocks, variant=variant))
    assert run
    return run.at(step)


def trace(found: Network, picture: int, mode: str) -> NetworkTrace:
    """Return the trace of one test picture; in train mode among 127 training pictures."""
    if mode == "eval":
        return found.trace(DATA.test_images[picture])
    batch = np.concatenate([DATA.test_images[picture : picture + 1], DATA.train_images[:127]])
    return found.trace(batch, use_running_average=False).image(0)


def opened(view: str, **link: str) -> AppTest:
    return without_exception(page(view=view, **LINK | link))


def without_exception(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].message
    return at


def captions(at: AppTest) -> list[str]:
    return [caption.value for caption in at.caption]


def panels(at: AppTest, figure: str) -> dict[str, np.ndarray]:
    drawn = figure_messages(at)[figure]["figure"]["data"]
    return {each["name"]: decoded(each["z"]) for each in drawn if "z" in each and "name" in each}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("variant", "blocks", "block", "step"),
    [("v1", 3, 2, 180), ("no_skip", 3, 3, 16), ("v1", 27, 27, 180)],
)
def test_forward_is_the_trace_of_the_network(
    variant: str, blocks: int, block: int, step: int, mode: str
) -> None:
    link = {
        "net_blocks": str(blocks),
        "network": str(["v1", "no_skip"].index(variant)),
        "net_block": f"block{block}",
        "net_step": str(step),
        "net_mode": mode,
        "picture": "11",
        "channel": "2",
    }
    at = opened("forward", **link)
    expected = trace(network(variant, step, blocks), 11, mode)[f"block{block}"]
    assert digest(at) == expected.digest()
    drawn = panels(at, "stages")
    for name, stage in PANELS.items():
        if stage in expected.stages and name in drawn:
            np.testing.assert_array_equal(drawn[name], expected[stage][:, :, 2])
    (note,) = notes(at)
    assert f"The weights are those of block{block} in the network " in note
    assert f"test picture 11, class {DATA.classes[DATA.test_labels[11]]}." in note
    assert ("127 training pictures" in note) == (mode == "train")


def test_network_step_block_and_picture_change_forward() -> None:
    at = opened("forward")
    assert digest(at) == trace(network(), 0, "eval")["block1"].digest()
    without_exception(at.selectbox(key="net_block").select("block3").run())
    assert digest(at) == trace(network(), 0, "eval")["block3"].digest()
    without_exception(at.select_slider(key="net_step").set_value(4).run())
    assert digest(at) == trace(network(step=4), 0, "eval")["block3"].digest()
    without_exception(at.segmented_control(key="network").set_value("1").run())
    assert digest(at) == trace(network("no_skip", 4), 0, "eval")["block3"].digest()
    without_exception(at.number_input(key="picture").set_value(359).run())
    assert digest(at) == trace(network("no_skip", 4), 359, "eval")["block3"].digest()
    without_exception(at.segmented_control(key="net_mode").set_value("train").run())
    assert digest(at) == trace(network("no_skip", 4), 359, "train")["block3"].digest()
    without_exception(at.segmented_control(key="weights").set_value("seed").run())
    assert len(panels(at, "stages")["x"]) == 96


@pytest.mark.parametrize("mode", MODES)
def test_what_if_compares_with_the_trained_block(mode: str) -> None:
    at = opened("what_if", variant="no_skip", net_block="block2", net_mode=mode)
    expected = trace(network(), 0, mode)["block2"]
    drawn = panels(at, "compared")
    for stage in ("add", "out"):
        np.testing.assert_array_equal(drawn[stage], expected[stage][:, :, 0])
    f = expected["bn2"][:, :, 0]
    np.testing.assert_allclose(drawn["variant bn2"], f, atol=1e-6)
    np.testing.assert_allclose(drawn["variant out"], np.maximum(f, 0), atol=1e-6)
    assert "bn2" not in drawn  # the variant's shows it


@pytest.mark.parametrize("mode", MODES)
def test_gradients_are_those_of_the_trained_block(mode: str) -> None:
    at = opened("gradients", net_block="block3", net_mode=mode, cotangent="random")
    x = trace(network(), 0, mode)["block3"]["x"]
    drawn = panels(at, "gradients")
    if mode == "eval":
        block = trace(network(), 0, mode)["block3"]
        split = split_trace(block, cotangent_of("random", block))
        np.testing.assert_allclose(drawn["x"], split.total[:, :, 0], atol=1e-5)
        np.testing.assert_allclose(drawn["residual"], split.residual[:, :, 0], atol=1e-5)
    else:
        assert any("uses the statistics of this image alone" in each for each in captions(at))
    assert drawn["x"].shape == x.shape[:2]


def test_a_variant_chosen_for_one_network_is_not_taken_for_another_ones_block() -> None:
    at = opened("gradients")
    without_exception(at.segmented_control(key=control(at, "network")).set_value("1").run())
    assert "variant" not in at.query_params
    assert "identity" not in panels(at, "gradients")
    without_exception(at.selectbox(key=control(at, "variant")).select("v1").run())
    assert at.query_params["variant"] == "v1"
    assert "identity" in panels(at, "gradients")
    without_exception(at.segmented_control(key=control(at, "network")).set_value("0").run())
    assert "variant" not in at.query_params  # v1 is the block's own


@pytest.mark.parametrize("mode", MODES)
def test_depth_is_the_stack_of_the_networks_blocks(mode: str) -> None:
    at = opened("depth", net_block="block2", net_mode=mode, curve="std")
    stem = trace(network(), 0, mode).stream["stem"]
    stack = Stack.from_models(list(network().models.values()))
    record = propagate_stack(stack, stem, use_running_average=mode == "eval")
    data = figure_messages(at)["curves"]["figure"]["data"]
    (std,) = (decoded(each["y"]) for each in data if each["name"] == "residual: std")
    np.testing.assert_allclose(std, record.curves["std"][0], rtol=1e-4)
    if mode == "eval":
        streams = trace(network(), 0, mode).stream
        expected = [streams[name].std() for name in ("block1", "block2", "block3")]
        np.testing.assert_allclose(std, expected, rtol=1e-4)


def test_depth_of_a_plain_network_says_why_there_is_none() -> None:
    at = opened("depth", network="1")
    (sentence,) = messages(at, "error")
    assert sentence.startswith("The network is plain")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("which", ["0", "1"])
@pytest.mark.parametrize("view", ["forward", "what_if"])
def test_every_detail_of_a_trained_block_is_drawn(view: str, which: str, mode: str) -> None:
    at = opened(view, network=which, net_mode=mode)
    if view == "what_if":
        at.toggle(key="difference").set_value(True).run()
    for name in DETAILS:
        without_exception(at.segmented_control(key="details").set_value(name).run())
        assert messages(at, "warning") == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("detail", ["one_block", "ablation", "paths"])
def test_every_detail_of_the_trained_stack_is_drawn(detail: str, mode: str) -> None:
    at = opened("depth", depth_details=detail, net_mode=mode)
    assert messages(at, "error") == []
    names = {"one_block": "depth_block", "ablation": "ablation_figure", "paths": "paths_figure"}
    assert names[detail] in figure_messages(at)


@pytest.mark.parametrize("kind", ["random", "ones", "pixel", "error"])
@pytest.mark.parametrize("which", ["0", "1"])
def test_every_gradient_of_a_trained_block_is_drawn(which: str, kind: str) -> None:
    at = opened("gradients", network=which, cotangent=kind, net_mode="train")
    assert messages(at, "error") == []
    assert "gradients" in figure_messages(at)


def test_train_mode_uses_as_many_pictures_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "most_traced", lambda network, height, width: 5)
    at = opened("forward", net_block="block2", net_mode="train", picture="7")
    batch = np.concatenate([DATA.test_images[7:8], DATA.train_images[:4]])
    expected = network().trace(batch, use_running_average=False).image(0)
    assert digest(at) == expected["block2"].digest()
    assert any("of 4 training pictures" in each for each in notes(at))
