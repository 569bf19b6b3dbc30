import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.errors import InputError
from explorer.figures.theme import THEMES
from explorer.figures.training_curves import (
    TrainingCurve,
    smoothed,
    training_curves_figure,
    training_curves_layouts,
)
from explorer.figures.two_layouts import ArrangementName

STEPS = 60


def curve(done: int, rate: float = 20.0) -> TrainingCurve:
    """Return a training of which `done` of 60 steps are done, checked every 10 steps."""
    checked_at = np.arange(10, done + 1, 10)
    history = {
        "train loss": (2.3 * np.exp(-np.arange(done) / rate)).astype(np.float32),
        "test accuracy": (1 - np.exp(-checked_at / rate)).astype(np.float32),
    }
    return TrainingCurve(history, checked_at, STEPS)


def lines(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data}


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
def test_curves_are_the_history(arrangement: ArrangementName) -> None:
    found = {"residual, v1": curve(60), "plain, no skip": curve(35, 80.0)}
    drawn = lines(training_curves_figure(found, arrangement=arrangement))
    for label, each in found.items():
        loss = each.history["train loss"]
        raw, line = drawn[f"{label}: training loss of every step"], drawn[f"{label}: training loss"]
        np.testing.assert_array_equal(raw.y, loss)
        np.testing.assert_array_equal(raw.x, np.arange(1, loss.size + 1))
        np.testing.assert_array_equal(line.customdata, loss)
        np.testing.assert_array_equal(line.y, smoothed(loss))
        accuracy = drawn[f"{label}: test accuracy"]
        np.testing.assert_array_equal(accuracy.x, each.checked_at)
        np.testing.assert_array_equal(accuracy.y, each.history["test accuracy"])
        assert (raw.yaxis, line.yaxis, accuracy.yaxis) == ("y", "y", "y2")


@pytest.mark.parametrize("size", [0, 1, 3, 9, 40])
def test_a_line_is_the_mean_of_the_steps_around(size: int) -> None:
    values = np.random.default_rng(size).random(size, np.float32)
    expected = [values[max(at - 4, 0) : at + 5].mean() for at in range(size)]
    np.testing.assert_allclose(smoothed(values), expected, rtol=1e-6)


@pytest.mark.parametrize("arrangement", ["wide", "narrow"])
def test_axes_and_traces_stay_while_steps_are_added(arrangement: ArrangementName) -> None:
    layouts, names = [], []
    for done in (0, 1, 25, 60):
        found = {"residual": curve(done), "plain": curve(max(done - 1, 0))}
        figure = training_curves_figure(found, arrangement=arrangement)
        layouts.append(figure.layout.to_plotly_json())
        names.append([trace.name for trace in figure.data])
    assert all(layout == layouts[0] for layout in layouts)
    assert all(each == names[0] for each in names)
    assert layouts[0]["xaxis"]["range"] == [0, STEPS]
    assert layouts[0]["xaxis2"]["matches"] == "x"
    low, high = layouts[0]["yaxis"]["range"]
    assert (np.ceil(low), np.floor(high)) == (-3, 1)
    assert layouts[0]["yaxis2"]["range"] == [-0.04, 1.04]


def test_a_loss_beyond_the_axis_extends_it_by_whole_decades() -> None:
    tiny = curve(60, 4.0)
    assert tiny.history["train loss"].min() < 1e-6
    axis = training_curves_figure({"residual": tiny}).layout.yaxis
    assert axis.range[0] < np.log10(tiny.history["train loss"].min())
    assert axis.ticktext == ("10⁻⁷", "10⁻⁵", "0.001", "0.1", "10")


def test_panels_are_side_by_side_or_below_each_other() -> None:
    layouts = training_curves_layouts({"residual": curve(60)}, theme="light")
    wide, narrow = layouts.wide, layouts.narrow
    assert wide["xaxis1"]["domain"][1] < wide["xaxis2"]["domain"][0]
    assert wide["yaxis1"]["domain"] == wide["yaxis2"]["domain"]
    assert narrow["xaxis1"]["domain"] == narrow["xaxis2"]["domain"] == [0, 1]
    assert narrow["yaxis1"]["domain"][0] > narrow["yaxis2"]["domain"][1]
    for layout in (wide, narrow):
        inside = layout["height"] - layout["margin"]["t"] - layout["margin"]["b"]
        low, high = layout["yaxis1"]["domain"]
        assert (high - low) * inside == pytest.approx(250)


def test_networks_have_the_colours_of_residual_and_plain_networks() -> None:
    for name, theme in THEMES.items():
        figure = training_curves_figure({"a<b": curve(20), "plain": curve(20)}, theme=name)
        drawn = lines(figure)
        assert drawn["a&lt;b: training loss"].line.color == theme.residual_network
        assert drawn["plain: test accuracy"].line.color == theme.plain_network
        legend = figure.layout.annotations[-1].text
        assert f"{theme.residual_network}'>■</span> a&lt;b" in legend
        assert f"{theme.plain_network}'>■</span> plain" in legend
        assert "the mean of the 9 steps around it" in legend


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({}, "at least one TrainingCurve"),
        ({"one": 1}, "must be a TrainingCurve"),
        (dict.fromkeys("abc", curve(2)), "one or two networks, got 3"),
    ],
)
def test_other_arguments_are_refused(found: dict[str, TrainingCurve], words: str) -> None:
    with pytest.raises(InputError, match=words):
        training_curves_figure(found)
