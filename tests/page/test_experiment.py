"""What is run: results name the block asked for, whichever block was computed first."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest

from explorer import VARIANTS, Model, trace_model
from explorer.inputs import generate
from explorer.model.variants import V1, zero_gamma
from explorer.page import cache, earlier_results, experiment
from explorer.page.cache import ResultCache
from explorer.page.experiment import Experiment, Result, run
from explorer.page.views import variant_controls
from tests.helpers import figure_messages, page

SIZE = {"input": "zone_plate", "height": "8", "width": "6", "channels": "4"}
X = generate("zone_plate", 8, 6, 4)
TWIN = replace(V1, title="Twin", description="Computes what v1 does.", source="These tests")


@pytest.fixture(autouse=True)
def results(monkeypatch: pytest.MonkeyPatch) -> ResultCache:
    """An empty cache in place of the server's."""
    fresh = ResultCache(32, 2**28, 60)
    monkeypatch.setattr(cache, "RESULT_CACHE", fresh)
    return fresh


class Placeholder:
    """An element that shows nothing."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *raised: object) -> None:
        pass

    def empty(self) -> None:
        pass


def result_of(spec: object) -> Result:
    experiment = Experiment(("by hand",), lambda: X, False, (), 0, 4, False, 0)
    return run(experiment, cast(DeltaGenerator, Placeholder()), spec)  # type: ignore[arg-type]


def test_a_result_has_the_spec_asked_for_though_another_of_one_key_is_cached(
    results: ResultCache,
) -> None:
    specs = [V1, TWIN, zero_gamma(1.0), V1]
    found = [result_of(spec) for spec in specs]
    assert [key[0] for key in results.names()].count("trace") == 1
    assert [each.trace.spec for each in found] == specs
    assert len({each.numbers.digest for each in found}) == 1
    for each in found[1:]:
        assert each.trace["out"] is found[0].trace["out"]


def test_another_computation_is_not_taken_for_it(results: ResultCache) -> None:
    found = [result_of(spec) for spec in (V1, zero_gamma(0.5), VARIANTS["no_skip"])]
    assert [key[0] for key in results.names()].count("trace") == 3
    assert len({each.numbers.digest for each in found}) == 3


def influence_titles(at: AppTest) -> tuple[list[str], list[str]]:
    """Return the names of the maps of influence, and the beginnings of their titles."""
    figure = figure_messages(at)["influence"]["figure"]
    names = [item["name"] for item in figure["data"]]
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    return names, [text.split("</b>")[0].removeprefix("<b>") for text in texts if "<b>" in text]


@pytest.mark.parametrize("order", [("twin", "v1"), ("v1", "twin")])
def test_the_gradients_view_names_the_block_asked_for_under_the_same_figure_keys(
    order: tuple[str, str], results: ResultCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = {**VARIANTS, "twin": TWIN}
    monkeypatch.setattr(variant_controls, "relatives", lambda spec: blocks)
    first = page(view="gradients", variant=order[0], cotangent="pixel", pin="x,3,3", **SIZE)
    computed = results.names()
    second = page(view="gradients", variant=order[1], cotangent="pixel", pin="x,3,3", **SIZE)
    assert results.names() == computed  # everything came out of the cache
    for at, name in zip((first, second), order, strict=True):
        assert not at.exception
        assert set(figure_messages(at)) == {"gradients", "influence"}
        titles = [blocks[name].title, "without the shortcut"]
        assert influence_titles(at) == (titles, titles)
    first.selectbox(key="variant").select(order[1]).run()
    assert set(figure_messages(first)) == {"gradients", "influence"}
    assert influence_titles(first) == influence_titles(second)


def test_the_gradients_view_names_v1_after_the_what_if_view_computed_it() -> None:
    """γ₂ = 1 in the family “γ₂ towards zero” is v1's computation, under another title."""
    at = page(view="what_if", variant="zero_gamma", gamma2="1.0", cotangent="pixel", **SIZE)
    at.segmented_control(key="view").set_value("gradients").run()
    assert not at.exception
    assert influence_titles(at)[0] == [zero_gamma().title, "without the shortcut"]
    at.selectbox(key="variant").select("v1").run()
    assert influence_titles(at)[0] == [V1.title, "without the shortcut"]


def test_the_weights_of_a_model_are_drawn_once() -> None:
    experiment = Experiment(("by hand",), lambda: X, False, (), 0, 4, False, 0)
    assert experiment.model(V1) is experiment.model(V1)
    other = replace(experiment, seed=1)
    kernels = [each.model(V1).parameters["conv1"]["kernel"] for each in (experiment, other)]
    assert not np.array_equal(*kernels)


@pytest.mark.parametrize("view", ["what_if", "gradients"])
def test_another_run_of_the_page_computes_nothing_whatever_the_size_of_the_results(
    monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    monkeypatch.setattr(earlier_results, "MAX_EARLIER_BYTES", 0)
    traced = []

    def trace(model: Model, *given: Any, **settings: Any) -> Any:
        traced.append(model.spec.title)
        return trace_model(model, *given, **settings)

    monkeypatch.setattr(experiment, "trace_model", trace)
    at = page(view=view, variant="no_skip", **SIZE)
    assert len(traced) == 2
    assert not at.run().exception
    assert len(traced) == 2
