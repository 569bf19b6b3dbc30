"""The Network view without a browser: accuracies, figure and lens of the selected network."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.data import digits
from explorer.engine.network import Network
from explorer.engine.shipped_runs import shipped_run
from explorer.engine.training_settings import TrainingSettings
from explorer.records import NetworkTrace
from tests.files import picture
from tests.helpers import (
    control,
    decoded,
    figure_messages,
    messages,
    notes,
    page,
    wait_for_trainings,
)
from tests.plain_accuracy import plain_accuracy

pytestmark = pytest.mark.usefixtures("no_runs")
TITLES = {"v1": "residual, v1", "no_skip": "plain, no shortcut"}
DATA = digits()


def network(variant: str = "v1", step: int = 180, blocks: int = 3) -> Network:
    run = shipped_run(TrainingSettings(blocks=blocks, variant=variant))
    assert run
    return run.at(step)


def opened(**link: str) -> AppTest:
    return without_exception(page(**{"view": "network", "net_blocks": "3"} | link))


def without_exception(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].message
    return at


def captions(at: AppTest) -> list[str]:
    return [caption.value for caption in at.caption]


def sentence(at: AppTest) -> str:
    """Return what the page says of the network and the picture."""
    (found,) = (each.value for each in at.markdown if "Test accuracy" in each.value)
    return found


def assert_drawn(at: AppTest, trace: NetworkTrace, channel: int | None = 0) -> None:
    """Assert that the figure shows the stream and F(x) of every block of a trace."""
    drawn = {
        each["name"]: decoded(each["z"])
        for each in figure_messages(at)["network_figure"]["figure"]["data"]
        if "z" in each
    }
    expected = {"stem": trace.stream["stem"]}
    for name, block in trace.blocks.items():
        expected |= {f"{name} F(x)": block["bn2"], f"{name} out": block["out"]}
    for name, array in expected.items():
        values = array.mean(axis=-1) if channel is None else array[:, :, channel]
        np.testing.assert_allclose(drawn[name], values, rtol=1e-6, atol=1e-6)


def assert_lens(at: AppTest, found: Network, trace: NetworkTrace) -> None:
    """Assert that the table has the head's best classes after the stem and every block."""
    head = found.parameters["head"]
    rows = []
    for name, stream in trace.stream.items():
        logits = stream.mean(axis=(0, 1)) @ head["kernel"] + head["bias"]
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        best = np.argsort(-shares)[:3]
        rows.append([name, *(f"{DATA.classes[label]} ({shares[label]:.1%})" for label in best)])
    assert at.table[0].value.to_numpy().tolist() == rows


@pytest.mark.parametrize("blocks", [3, 8, 27])
def test_it_opens_with_accuracies_and_the_first_test_picture(blocks: int) -> None:
    at = opened(net_blocks=str(blocks))
    accuracies = []
    for variant, title in TITLES.items():
        found = network(variant, blocks=blocks)
        accuracy = plain_accuracy(found, DATA.test_images, DATA.test_labels, found.blocks)
        accuracies.append(f"{title} {accuracy:.1%}")
    found = network(blocks=blocks)
    trace = found.trace(DATA.test_images[0])
    share, best = list(trace.probabilities.values())[-1].max(), int(trace.logits.argmax())
    assert best == DATA.test_labels[0]
    assert_drawn(at, trace)
    assert_lens(at, found, trace)
    label = DATA.classes[DATA.test_labels[0]]
    assert sentence(at) == (
        f"residual, v1, {blocks} blocks, after step 180; test picture 0, class {label}: classified "
        f"as {DATA.classes[best]} with {share:.0%} (correct). "
        f"Test accuracy: {'; '.join(accuracies)}."
    )


def test_the_selected_network_step_picture_and_channel_are_drawn() -> None:
    link = {"network": "1", "net_step": "32", "picture": "17", "channel": "5"}
    at = opened(**link)
    found = network("no_skip", 32)
    trace = found.trace(DATA.test_images[17])
    assert_drawn(at, trace, 5)
    assert_lens(at, found, trace)
    assert any(words.startswith("A plain network has no residual stream") for words in captions(at))
    accuracy = np.mean(network("v1", 32).predict(DATA.test_images) == DATA.test_labels)
    assert f"Test accuracy: residual, v1 {accuracy:.1%};" in sentence(at)
    at.segmented_control(key="show").set_value("mean").run()
    assert_drawn(at, trace, None)
    assert at.query_params == link | {"view": "network", "net_blocks": "3", "show": "mean"}


def test_in_train_mode_the_statistics_are_those_of_a_batch() -> None:
    at = opened(net_mode="train", picture="3")
    batch = np.concatenate([DATA.test_images[3:4], DATA.train_images[:127]])
    trace = network().trace(batch, use_running_average=False).image(0)
    assert_drawn(at, trace)
    assert_lens(at, network(), trace)


def test_wrongly_classified_pictures_come_first_then_the_others() -> None:
    found = network()
    is_wrong = found.predict(DATA.test_images) != DATA.test_labels
    order = [*np.flatnonzero(is_wrong), *np.flatnonzero(~is_wrong)]
    at = opened(wrong_first="true")
    words = f"{is_wrong.sum()} of 360 pictures are classified wrongly after the last step; they"
    assert any(each.startswith(words) for each in captions(at))
    assert "(wrong)" in sentence(at)
    for number in (0, int(is_wrong.sum()) - 1, int(is_wrong.sum()), 359):
        without_exception(at.number_input(key="picture").set_value(number).run())
        index = int(order[number])
        assert f"test picture {index}, class " in sentence(at)
        assert_drawn(at, found.trace(DATA.test_images[index]))


def test_an_own_picture_is_scaled_to_the_data_sets_range() -> None:
    at = opened(picture_from="own")
    assert [info.value for info in at.info] == ["Choose a picture."]
    grey = np.random.default_rng(0).integers(30, 200, (8, 8), dtype=np.uint8)
    at.file_uploader(key="file").upload("mine.png", picture(grey, "PNG"), "image/png").run()
    without_exception(at)
    low, high = DATA.train_images.min(), DATA.train_images.max()
    part = (grey.astype(float) - grey.min()) / (int(grey.max()) - int(grey.min()))
    pixels = (low + part * (high - low)).astype(np.float32)[:, :, None]
    assert "your picture, resized to 8×8" in sentence(at)
    drawn = figure_messages(at)["network_figure"]["figure"]["data"]
    expected = network().trace(pixels)["block3"]["out"][:, :, 0]
    (found,) = (decoded(each["z"]) for each in drawn if each["name"] == "block3 out")
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("value", [0, 255])
def test_an_own_picture_of_one_colour_is_drawn(value: int) -> None:
    at = opened(picture_from="own")
    grey = np.full((20, 30), value, np.uint8)
    at.file_uploader(key="file").upload("flat.png", picture(grey, "PNG"), "image/png").run()
    without_exception(at)
    pixels = np.full((8, 8, 1), DATA.train_images.min(), np.float32)
    assert_drawn(at, network().trace(pixels))


def test_a_file_that_is_no_picture_is_a_sentence() -> None:
    at = opened(picture_from="own")
    at.file_uploader(key="file").upload("mine.png", b"plain words", "image/png").run()
    without_exception(at)
    (sentence,) = messages(at, "error")
    assert "no PNG picture" in sentence
    without_exception(at.segmented_control(key="picture_from").set_value("test").run())
    assert messages(at, "error") == []
    assert_drawn(at, network().trace(DATA.test_images[0]))


def test_a_block_that_was_clicked_opens_in_a_view() -> None:
    at = opened(picture="4")
    assert "open_forward" not in {button.key for button in at.button}
    at.session_state["network_figure"] = {"pin": "block2 out,3,4"}
    without_exception(at.run())
    assert "block2" in notes(at)
    for view in ("forward", "what_if", "gradients"):
        without_exception(at.button(key=f"open_{view}").click().run())
        assert at.query_params.pop("view", "forward") == view
        # What if shows a variant, and Gradients the same one.
        assert at.query_params.pop("variant", None) == (None if view != "gradients" else "no_skip")
        assert at.query_params == {
            "weights": "network",
            "net_blocks": "3",
            "net_block": "block2",
            "picture": "4",
            "network_pin": "block2 out,3,4",
        }
        at.segmented_control(key=control(at, "view")).set_value("network").run()
        at.session_state["network_figure"] = {"pin": "block2 out,3,4"}
        without_exception(at.run())


def test_play_starts_again_after_the_last_step_and_pause_ends_it() -> None:
    at = opened()
    assert at.button(key="play").label == "Play the training"
    without_exception(at.button(key="play").click().run())
    assert at.button(key="play").label == "Pause"
    assert "after step 0;" in sentence(at)
    without_exception(at.number_input(key="channel").set_value(3).run())  # while it plays
    assert "after step 0;" in sentence(at)
    assert_drawn(at, network(step=0).trace(DATA.test_images[0]), 3)
    without_exception(at.button(key="play").click().run())
    assert at.button(key="play").label == "Play the training"


def test_play_goes_on_from_the_step_that_is_shown() -> None:
    at = opened(net_step="16")
    without_exception(at.button(key="play").click().run())
    assert "after step 16;" in sentence(at)


SMALL = {"net_blocks": "1", "net_width": "4", "net_steps": "2", "net_batch": "16", "net_seed": "9"}


@pytest.mark.parametrize(
    "link",
    [{"view": "network", "net_step": "0"}, {"weights": "network"}],
    ids=["network", "forward"],
)
def test_a_link_to_a_run_that_is_gone_offers_to_train_it(link: dict[str, str]) -> None:
    at = without_exception(page(**SMALL | link))
    (sentence,) = messages(at, "info")
    assert sentence.startswith("This server has no run with these settings")
    assert figure_messages(at) == {}
    without_exception(at.button(key="offer_training").click().run())
    assert at.button(key="stop_training").label == "Stop"
    wait_for_trainings()
    without_exception(at.run())
    assert messages(at, "info") == []
    assert figure_messages(at)
    assert at.query_params == SMALL | link
