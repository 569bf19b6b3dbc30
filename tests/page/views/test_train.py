"""The Train view without a browser: shipped runs, the buttons in every state, and details."""

from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.data import digits
from explorer.engine.shipped_runs import shipped_run
from explorer.engine.training import Trainer, train
from explorer.engine.training_run import TrainingProgress, TrainingRun
from explorer.engine.training_settings import TrainingSettings
from explorer.errors import InputError
from explorer.page import trainings
from explorer.page.views import train_details
from tests.helpers import (
    ROOT,
    TIMEOUT,
    decoded,
    figure_messages,
    messages,
    own_buttons,
    page,
    wait_for_trainings,
)

pytestmark = pytest.mark.usefixtures("no_runs")
TITLES = {"v1": "residual, v1", "no_skip": "plain, no shortcut"}
SMALL = {"net_blocks": "1", "net_width": "4", "net_steps": "3", "net_batch": "16"}
SETTINGS: dict[str, Any] = {"blocks": 1, "width": 4, "steps": 3, "batch": 16}


class Gate:
    """Holds trainings before their steps until it is opened."""

    def __init__(self) -> None:
        self.is_open, self.is_reached = Event(), Event()

    def pass_through(self) -> None:
        self.is_reached.set()
        assert self.is_open.wait(TIMEOUT)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    found = Gate()

    class HeldTrainer(Trainer):
        def step(self) -> TrainingProgress:
            found.pass_through()
            return super().step()

    monkeypatch.setattr(trainings, "Trainer", HeldTrainer)
    yield found
    found.is_open.set()


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Make the session's training stop itself after a number of steps of the first network."""

    def change(steps: int) -> None:
        class StoppedTrainer(Trainer):
            def step(self) -> TrainingProgress:
                found = super().step()
                if self.done == steps and self.settings.variant == "no_skip":
                    stops[0]()
                return found

        monkeypatch.setattr(trainings, "Trainer", StoppedTrainer)

    stops: list[Callable[[], None]] = []

    class Stopped(trainings.Training):
        def _start(self) -> None:
            stops[:] = [self.stop]
            super()._start()

    monkeypatch.setattr(trainings, "Training", Stopped)
    return change


def trained(at: AppTest) -> AppTest:
    """Click Train, wait for the end and run the page again."""
    click(at, "start_training")
    wait_for_trainings()
    return rerun(at)


def click(at: AppTest, key: str) -> AppTest:
    return without_exception(at.button(key=key).click().run())


def rerun(at: AppTest) -> AppTest:
    return without_exception(at.run())


def without_exception(at: AppTest) -> AppTest:
    assert not at.exception, at.exception[0].message
    return at


def opened(**link: str) -> AppTest:
    return without_exception(page(view="train", **link))


def captions(at: AppTest) -> list[str]:
    return [caption.value for caption in at.caption]


def sentences(at: AppTest) -> str:
    """Return what the page says was measured; empty if it says nothing."""
    return next((words for words in captions(at) if words.startswith("Within ")), "")


def drawn(at: AppTest, figure: str = "training_curves") -> dict[str, dict[str, np.ndarray]]:
    """Return x and y of every curve of a figure, by name."""
    curves = figure_messages(at)[figure]["figure"]["data"]
    return {
        curve["name"]: {axis: values(curve[axis]) for axis in ("x", "y")}
        for curve in curves
        if "name" in curve and "y" in curve
    }


def values(given: Any) -> np.ndarray:
    """Return a curve's numbers; NaN is missing."""
    return decoded(given) if isinstance(given, dict) else np.array(given, float)


def assert_curves(at: AppTest, variant: str, run: TrainingRun) -> None:
    """Assert that the figure has the numbers of a run."""
    curves, title = drawn(at), TITLES[variant]
    loss = curves[f"{title}: training loss of every step"]
    np.testing.assert_array_equal(loss["x"], np.arange(1, run.settings.steps + 1))
    np.testing.assert_array_equal(loss["y"], run.history["train loss"])
    accuracy = curves[f"{title}: test accuracy"]
    np.testing.assert_array_equal(accuracy["x"], run.checked_at)
    np.testing.assert_array_equal(accuracy["y"], run.history["test accuracy"])


def assert_sentence(at: AppTest, variant: str, run: TrainingRun) -> None:
    """Assert that the page says the final loss and accuracy of a run."""
    loss = np.mean(run.history["train loss"].astype(float)[-9:])
    accuracy = np.mean(
        run.network.predict(digits().test_images) == digits().test_labels, dtype=float
    )
    assert (
        f"Within {run.settings.steps} steps the network “{TITLES[variant]}” of "
        f"{2 * run.settings.blocks + 2} layers reaches a training loss of {loss:.3f} and a test "
        f"accuracy of {accuracy:.1%}." in sentences(at)
    )


@pytest.mark.parametrize("blocks", [3, 8, 27])
def test_shipped_runs_open_complete(blocks: int) -> None:
    at = opened() if blocks == 8 else opened(net_blocks=str(blocks))
    assert own_buttons(at) == {"start_training": "Train again"}
    for variant in TITLES:
        run = shipped_run(TrainingSettings(blocks=blocks, variant=variant))
        assert run
        assert_curves(at, variant, run)
        assert_sentence(at, variant, run)
    assert at.query_params == {"view": "train"} | (
        {} if blocks == 8 else {"net_blocks": str(blocks)}
    )


def test_what_is_not_trained_has_empty_curves_and_a_button() -> None:
    at = opened(**SMALL)
    assert own_buttons(at) == {"start_training": "Train"}
    assert sentences(at) == ""
    assert {curve["y"].size for curve in drawn(at).values()} == {0}


def test_train_trains_both_networks_with_the_settings_of_the_page() -> None:
    at = opened(
        **SMALL,
        net_rate="0.03",
        net_seed="5",
        net_optimiser="adam",
        net_kernels="lecun",
        net_survival="0.8",
    )
    trained(at)
    assert own_buttons(at) == {"start_training": "Train again"}
    others: dict[str, Any] = {
        "learning_rate": 0.03,
        "seed": 5,
        "optimiser": "adam",
        "initialiser": "lecun",
    }
    for variant, survival in (("v1", 0.8), ("no_skip", 1.0)):
        run = train(digits(), variant=variant, survival=survival, **SETTINGS, **others)
        assert_curves(at, variant, run)
        assert_sentence(at, variant, run)
    assert not messages(at, "error")


def test_training_again_gives_the_same_curves() -> None:
    at = trained(opened(**SMALL))
    first = drawn(at)
    trained(at)
    second = drawn(at)
    assert first.keys() == second.keys()
    for name, curve in first.items():
        np.testing.assert_array_equal(second[name]["y"], curve["y"])


def test_meanwhile_there_is_a_stop_button_and_the_step(gate: Gate) -> None:
    at = click(opened(**SMALL, train_details="gradients"), "start_training")
    assert gate.is_reached.wait(TIMEOUT)
    rerun(at)
    assert own_buttons(at) == {"stop_training": "Stop"}
    assert any("step 0 of 3." in each for each in captions(at))
    assert "block_gradients" not in figure_messages(at)
    click(at, "stop_training")
    gate.is_open.set()
    wait_for_trainings()
    assert own_buttons(rerun(at))["start_training"] == "Train again"


def test_a_training_that_waits_for_two_others_says_so(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [click(opened(**SMALL, net_seed=seed), "start_training") for seed in "12"]
    third = click(opened(**SMALL, net_seed="3"), "start_training")
    assert own_buttons(third) == {"stop_training": "Stop"}
    assert "Waiting: two other trainings run on this server." in captions(third)
    gate.is_open.set()
    wait_for_trainings()
    for at in (*others, third):
        assert own_buttons(rerun(at)) == {"start_training": "Train again"}
        assert sentences(at)


def test_stop_keeps_the_curves_and_continue_completes_them(
    stop_after: Callable[[int], None],
) -> None:
    stop_after(2)
    at = trained(opened(**SMALL))
    assert own_buttons(at) == {"resume_training": "Continue", "start_training": "Train again"}
    assert {curve["y"].size for name, curve in drawn(at).items() if "training loss" in name} == {2}
    assert sentences(at).startswith("Within 2 steps the network")
    click(at, "resume_training")
    wait_for_trainings()
    rerun(at)
    assert own_buttons(at) == {"start_training": "Train again"}
    for variant in TITLES:
        run = train(digits(), variant=variant, **SETTINGS)
        assert_curves(at, variant, run)
        assert_sentence(at, variant, run)


def test_train_instead_of_continue_starts_anew(stop_after: Callable[[int], None]) -> None:
    stop_after(1)
    at = trained(opened(**SMALL))
    stop_after(3)
    trained(at)
    assert own_buttons(at) == {"start_training": "Train again"}
    assert_curves(at, "v1", train(digits(), variant="v1", **SETTINGS))


PROBLEM = "The training loss is nan in step 2, so the training stopped."


@pytest.fixture
def fails_at_10(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings with learning rate 10 fail in the second step of the second network."""

    class FailingTrainer(Trainer):
        def step(self) -> TrainingProgress:
            settings = self.settings
            if (settings.learning_rate, settings.variant, self.done) == (10, "no_skip", 1):
                raise InputError(PROBLEM)
            return super().step()

    monkeypatch.setattr(trainings, "Trainer", FailingTrainer)


@pytest.mark.usefixtures("fails_at_10")
def test_a_training_that_fails_is_one_sentence_and_the_page_stays_usable() -> None:
    at = trained(opened(**SMALL, net_rate="10"))
    assert messages(at, "error") == [PROBLEM]
    assert own_buttons(at) == {"start_training": "Train again"}
    assert drawn(at)["residual, v1: training loss"]["y"].size == 2
    at.selectbox(key="net_rate").select("0.01").run()
    assert messages(at, "error") == []
    assert own_buttons(at) == {"start_training": "Train"}
    at.number_input(key="net_steps").set_value(2).run()
    trained(at)
    assert sentences(at).count("Within 2 steps") == 2


def test_other_settings_while_networks_train_offer_to_train_these_instead(gate: Gate) -> None:
    at = click(opened(**SMALL), "start_training")
    assert gate.is_reached.wait(TIMEOUT)
    at.number_input(key="net_seed").set_value(1).run()
    assert own_buttons(at) == {"start_training": "Train"}
    words = "Networks with other settings are being trained; Train would stop them."
    assert words in captions(at)
    click(at, "start_training")
    gate.is_open.set()
    wait_for_trainings()
    rerun(at)
    assert words not in captions(at)
    assert_curves(at, "v1", train(digits(), variant="v1", seed=1, **SETTINGS))
    at.number_input(key="net_seed").set_value(0).run()  # stopped, so it can only start anew
    assert own_buttons(at) == {"start_training": "Train"}


def test_training_goes_on_while_the_user_looks_at_another_view(gate: Gate) -> None:
    at = click(opened(**SMALL), "start_training")
    assert gate.is_reached.wait(TIMEOUT)
    without_exception(at.segmented_control(key="view").set_value("forward").run())
    assert "stages" in figure_messages(at)
    gate.is_open.set()
    wait_for_trainings()
    without_exception(at.segmented_control(key="view").set_value("train").run())
    assert_curves(at, "no_skip", train(digits(), variant="no_skip", **SETTINGS))


def test_two_networks_of_one_variant() -> None:
    at = trained(opened(**SMALL, net_first="no_skip", net_second="no_skip"))
    assert_curves(at, "no_skip", train(digits(), variant="no_skip", **SETTINGS))


@pytest.mark.parametrize("step", [None, 16, 180])
def test_the_gradient_by_block_is_the_histories(step: int | None) -> None:
    link = {} if step is None else {"gradient_step": str(step)}
    at = opened(net_blocks="3", train_details="gradients", **link)
    curves = drawn(at, "block_gradients")
    for variant, title in TITLES.items():
        run = shipped_run(TrainingSettings(blocks=3, variant=variant))
        assert run
        row = run.history["gradient norm"][min(step or 0, 179)]
        found = [curve["y"] for name, curve in curves.items() if name.startswith(title)]
        assert any(np.array_equal(values, row) for values in found)


def test_untrained_networks_have_no_gradient_but_the_page_stays() -> None:
    at = opened(**SMALL, train_details="gradients")
    assert "block_gradients" not in figure_messages(at)
    assert own_buttons(at) == {"start_training": "Train"}


def test_loss_against_depth_has_the_shipped_depths_and_offers_the_others() -> None:
    at = opened(train_details="depths")
    assert own_buttons(at) == {
        "start_training": "Train again",
        "start_sweep": "Train the missing depths: 16",
    }
    curves = drawn(at, "degradation")
    for variant, title in TITLES.items():
        expected = []
        for blocks in (3, 8, 16, 27):
            run = shipped_run(TrainingSettings(blocks=blocks, variant=variant))
            expected.append(run.history["train loss"][-9:].mean() if run else np.nan)
        np.testing.assert_allclose(curves[title]["y"], expected, rtol=1e-6)


@pytest.fixture
def two_depths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_details, "DEPTHS", (1, 2))


def sweep(at: AppTest, depths: int) -> AppTest:
    """Click the button of the missing depths, and run the page after each of them."""
    click(at, "start_sweep")
    for _ in range(depths):
        assert any("blocks: step" in words for words in captions(at)), captions(at)
        wait_for_trainings()
        rerun(at)
    return at


def assert_swept(at: AppTest) -> None:
    """Assert that the losses of both depths are drawn and nothing is left to train."""
    assert own_buttons(at) == {"start_training": "Train again"}
    curves = drawn(at, "degradation")
    for variant, title in TITLES.items():
        settings: dict[str, Any] = SETTINGS | {"variant": variant}
        runs = [train(digits(), **settings | {"blocks": blocks}) for blocks in (1, 2)]
        expected = [run.history["train loss"].mean() for run in runs]
        np.testing.assert_allclose(curves[title]["y"], expected, rtol=1e-6)


@pytest.mark.usefixtures("two_depths")
def test_the_missing_depths_are_trained_one_after_another() -> None:
    at = opened(**SMALL, train_details="depths")
    assert own_buttons(at)["start_sweep"] == "Train the missing depths: 1, 2"
    assert_swept(sweep(at, 2))


@pytest.mark.usefixtures("two_depths")
def test_a_stopped_training_does_not_keep_the_depths_from_training(
    stop_after: Callable[[int], None],
) -> None:
    stop_after(1)
    at = trained(opened(**SMALL, train_details="depths"))
    assert own_buttons(at)["resume_training"] == "Continue"
    stop_after(4)
    assert_swept(sweep(at, 2))


@pytest.mark.usefixtures("two_depths", "fails_at_10")
def test_a_depth_that_fails_ends_the_sweep() -> None:
    at = opened(**SMALL | {"net_blocks": "2"}, net_rate="10", train_details="depths")
    click(at, "start_sweep")
    wait_for_trainings()
    rerun(at)
    assert own_buttons(at)["start_sweep"] == "Train the missing depths: 1, 2"
    assert messages(at, "error") == [PROBLEM]


@pytest.mark.usefixtures("two_depths")
def test_stop_ends_the_sweep(gate: Gate) -> None:
    at = click(opened(**SMALL, train_details="depths"), "start_sweep")
    assert own_buttons(at)["stop_sweep"] == "Stop"
    assert gate.is_reached.wait(TIMEOUT)
    click(at, "stop_sweep")
    gate.is_open.set()
    wait_for_trainings()
    assert "start_sweep" in own_buttons(rerun(at))


@pytest.mark.parametrize(
    ("link", "is_named"),
    [
        ({"net_blocks": "3"}, True),
        ({"net_blocks": "27"}, True),
        ({**SMALL, "net_rate": "0.01"}, False),
    ],
)
def test_the_table_of_five_seeds_is_named_for_networks_that_are_in_it(
    link: dict[str, str], is_named: bool
) -> None:
    at = opened(**link)
    if not is_named:
        click(at, "start_training")
        wait_for_trainings()
        rerun(at)
    assert ("docs/training.md has the spread" in sentences(at)) == is_named
    table = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert "At 4 of 4 depths" in table
    assert "is larger than the residual network's in all 5 seeds" in table
