"""The logic of the Depth view, without a browser."""

import re
from dataclasses import replace

import numpy as np
import pytest

from explorer import trace_block
from explorer.engine.ablation import ablate
from explorer.engine.paths import path_lengths
from explorer.engine.propagation import propagate
from explorer.engine.stack import Stack
from explorer.figures.depth import LARGE, SUBTITLES
from explorer.inputs import generate
from explorer.model.variants import V1, VARIANTS
from explorer.page import cache
from explorer.page.cache import ResultCache
from explorer.page.views.depth_verdicts import verdict
from explorer.page.views.number_words import power_text
from explorer.page.views.trend_captions import trend_caption
from explorer.records import AblationKind
from tests.helpers import SMALL, SMALL_PAGE, decoded, figure_messages, messages, page

X = generate("zone_plate", *SMALL)
DEPTH = {"view": "depth", "depth": "5", "runs": "2", **SMALL_PAGE}


def median(at: object, name: str) -> list[float]:
    data = figure_messages(at)["curves"]["figure"]["data"]  # type: ignore[arg-type]
    return decoded(next(item["y"] for item in data if item["name"] == name)).tolist()


@pytest.mark.parametrize("norm", ["on", "off"])
@pytest.mark.parametrize("after", ["on", "off"])
def test_the_curves_are_the_records(norm: str, after: str) -> None:
    at = page(**DEPTH, batch_norm=norm, last_relu=after)
    assert not at.exception
    spec = V1 if norm == "on" else VARIANTS["no_bn"]
    spec = spec if after == "on" else replace(spec, after=())
    for stack, variant in (("residual", spec), ("plain", replace(spec, shortcut=None))):
        record = propagate(0, X, 4, depth=5, seeds=2, variant=variant)
        expected = np.median(record.curves["gradient norm"], axis=0)
        np.testing.assert_allclose(median(at, f"{stack}: gradient norm"), expected, rtol=1e-5)


@pytest.mark.parametrize("curve", SUBTITLES)
def test_the_chosen_curve_is_large_with_its_verdict_and_trend(curve: str) -> None:
    residual, plain_network = (
        propagate(0, X, 4, depth=5, seeds=2, variant=name) for name in ("v1", "no_skip")
    )
    at = page(**DEPTH, curve=curve.replace(" ", "_"))
    assert not at.exception
    assert verdict(curve, residual, plain_network) in [each.value for each in at.markdown]
    trend = trend_caption(curve, residual, plain_network)
    assert (trend in [each.value for each in at.caption]) == bool(trend)
    link = figure_messages(at)["curves"]["link"]
    assert link["curves"][LARGE] == [f"residual: {curve}", f"plain: {curve}"]
    assert (link["rows"], link["cols"]) == (2, 5)
    values = residual.curves[curve][:, 2]
    label = link["point_labels"][LARGE][2]
    assert label.startswith(f"Block 3, {curve}: residual ")
    for value in (np.median(values), values.min(), values.max()):
        assert power_text(float(value)).replace("-", "−") in label
    assert ("plain" in label) == (curve != "branch share")


def test_zeros_can_be_chosen_only_of_blocks_that_end_in_a_relu() -> None:
    at = page(**DEPTH, curve="zeros", last_relu="off")
    assert not at.exception
    assert at.segmented_control(key="curve").value == "gradient_norm"
    assert "zeros" not in at.segmented_control(key="curve").options
    assert "zeros" not in figure_messages(at)["curves"]["link"]["panels"]


def test_the_chart_marks_the_block_that_is_open() -> None:
    at = page(**DEPTH)
    assert figure_messages(at)["curves"]["link"]["picked"] is None
    at.segmented_control(key="depth_details").set_value("one_block").run()
    at.number_input(key="block_number").set_value(4).run()
    at.segmented_control(key="stack").set_value("plain").run()
    assert not at.exception
    marked = {"panel": LARGE, "row": 1, "col": 3}
    assert figure_messages(at)["curves"]["link"]["picked"] == marked


@pytest.mark.parametrize("stack", ["residual", "plain"])
def test_one_block_is_traced_from_its_seed_and_input(stack: str) -> None:
    at = page(**DEPTH, depth_details="one_block", block_number="3", stack=stack, seed="7")
    assert not at.exception
    variant = V1 if stack == "residual" else VARIANTS["no_skip"]
    record = propagate(7, X, 4, depth=5, variant=variant)
    trace = trace_block(9, record.inputs[2], 4, variant=variant)
    drawn = {item["name"]: item for item in figure_messages(at)["depth_block"]["figure"]["data"]}
    np.testing.assert_allclose(decoded(drawn["out"]["z"]), trace["out"][:, :, 0], atol=1e-5)
    assert any("Its weights have seed 9" in c.value for c in at.caption)


@pytest.mark.parametrize("kind", ["delete", "swap"])
def test_ablations_are_described_with_their_means(kind: AblationKind) -> None:
    at = page(**DEPTH, depth_details="ablation", ablation=kind)
    assert not at.exception
    means = [
        float(ablate(Stack.from_seed(0, 4, 5, name), X, kind=kind).change.mean())
        for name in ("v1", "no_skip")
    ]
    words = " ".join(each.value for each in at.markdown)
    assert (
        f"Mean change: {means[0]:.2f} of the output's norm with shortcuts, {means[1]:.2f}" in words
    )


def test_paths_are_described_with_their_mean_length() -> None:
    at = page(**DEPTH, depth_details="paths")
    assert not at.exception
    found = path_lengths(Stack.from_seed(0, 4, 5), X)
    carried = found.norm * found.paths
    mean = (found.lengths * carried).sum() / carried.sum()
    assert any(
        f"is 2.5 blocks; weighted by the norms of their gradients it is {mean:.1f}." in c.value
        for c in at.markdown
    )


@pytest.mark.parametrize("depth", ["1", "2", "128", "0", "129", "-3", "x"])
def test_every_depth_in_a_link(depth: str) -> None:
    at = page(
        **{**DEPTH, "depth": depth, "runs": "1", "block_number": "200"}, depth_details="one_block"
    )
    assert not at.exception
    assert "curves" in figure_messages(at)


def test_too_large_a_stack_is_an_error() -> None:
    at = page(input="zone_plate", view="depth", height="512", width="512", depth="128")
    assert not at.exception
    assert re.search("the limit is", messages(at, "error")[0])


def test_fewer_blocks_than_the_selected_one() -> None:
    at = page(**DEPTH, depth_details="one_block", block_number="5")
    assert at.number_input(key="block_number").value == 5
    at.number_input(key="depth").set_value(3).run()
    assert not at.exception
    assert at.number_input(key="block_number").value == 3
    assert "Block 3 of the first run" in " ".join(caption.value for caption in at.caption)


def test_a_stopped_stack_leaves_the_last_figure_and_can_be_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = ResultCache(8, 2**30, 60)
    monkeypatch.setattr(cache, "RESULT_CACHE", store)
    at = page(**DEPTH, depth_details="one_block")
    before = figure_messages(at)
    (key,) = [key for key in store.names() if key[0] == "curves"]
    at.session_state["stopped_job"] = (*key[:-1], 3)
    at.number_input(key="runs").set_value(3).run()
    assert not at.exception
    assert "Stopped." in [each.value for each in at.markdown]
    after = figure_messages(at)
    for name in ("curves", "depth_block"):
        assert after[name]["digest"] == before[name]["digest"]
        assert after[name]["stale"]
        assert not before[name]["stale"]
    at.button(key="run curves").click().run()
    assert not at.exception
    assert not figure_messages(at)["curves"]["stale"]
    assert figure_messages(at)["curves"]["digest"] != before["curves"]["digest"]


def test_a_stack_stopped_before_there_was_a_figure_can_be_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = ResultCache(8, 2**30, 60)
    monkeypatch.setattr(cache, "RESULT_CACHE", store)
    at = page(**DEPTH)
    (key,) = [key for key in store.names() if key[0] == "curves"]
    monkeypatch.setattr(cache, "RESULT_CACHE", ResultCache(8, 2**30, 60))
    at.session_state["stopped_job"] = key
    at.run()
    assert "curves" not in figure_messages(at)
    at.button(key="run curves").click().run()
    assert "curves" in figure_messages(at)
    assert not at.exception


def test_the_help_of_runs_gives_the_seed_of_every_block() -> None:
    at = page(seed="7", **DEPTH)
    words = at.number_input(key="runs").help
    assert "With runs and blocks counted from 1" in words
    (term,) = re.findall(r"the seed of the weights plus ([^.]*)\.", words)
    formula = term.replace("·", "*").replace("−", "-")
    provenance = Stack.from_seed(7, SMALL[2], 5, runs=2).provenance
    for number, row in enumerate(provenance, start=1):
        for run, weights in enumerate(row, start=1):
            assert str(weights) == f"seed {7 + eval(formula, {'s': run, 'l': number})}"
