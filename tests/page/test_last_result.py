"""After an error the page keeps its widgets, and draws the last result pale."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer import trace_block
from explorer.inputs import generate
from explorer.page import cache
from explorer.page.cache import ResultCache
from explorer.page.limiter import WorkLimiter
from tests.files import npy
from tests.helpers import (
    SMALL,
    SMALL_PAGE,
    decoded,
    digest,
    figure_messages,
    messages,
    page,
    upload,
)

X = generate("zone_plate", *SMALL)
SETTINGS = {
    *("weights", "input", "height", "width", "channels", "file", "layout", "side"),
    *("standardise", "seed", "features", "widen", "mode", "warmup"),
}
STACK = {"depth": "2", "runs": "1"}


def settings(at: AppTest) -> set[str]:
    """Return the keys of the experiment's widgets."""
    kinds = ("selectbox", "number_input", "segmented_control", "file_uploader")
    return SETTINGS & {widget.key for kind in kinds for widget in at.get(kind)}


def drawn(at: AppTest, figure: str, panel: str) -> np.ndarray:
    data = figure_messages(at)[figure]["figure"]["data"]
    return decoded(next(each for each in data if each["name"] == panel)["z"])


def stale_figures(at: AppTest) -> dict[str, bool]:
    return {name: message["stale"] for name, message in figure_messages(at).items()}


@pytest.mark.parametrize(
    ("view", "link", "figures"),
    [
        ("forward", {"details": "channels"}, {"stages", "gallery"}),
        ("forward", {"pin": "add,1,1", "details": "histograms"}, {"stages", "distributions"}),
        ("what_if", {}, {"compared"}),
        ("gradients", {"cotangent": "pixel"}, {"gradients"}),
        ("depth", STACK, {"curves"}),
    ],
)
def test_wrong_features_leave_widgets_and_figures(
    view: str, link: dict[str, str], figures: set[str]
) -> None:
    at = page(view=view, **SMALL_PAGE, **link)
    before, widgets = figure_messages(at), settings(at)
    assert not any(stale_figures(at).values())
    at.number_input(key="features").set_value(6).run()
    assert not at.exception
    (error,) = messages(at, "error")
    assert error.startswith("features is 6 but the input has 4 channels")
    assert settings(at) == widgets | {"widen"}
    assert figures <= set(figure_messages(at))
    assert all(stale_figures(at).values())
    for name in figures:
        assert figure_messages(at)[name]["digest"] == before[name]["digest"]
    assert not any("Digest of out" in caption.value for caption in at.caption)
    assert not at.metric
    assert at.query_params["view" if view != "forward" else "features"]
    at.segmented_control(key="widen").set_value("zero_channels").run()
    assert not messages(at, "error")
    assert not any(stale_figures(at).values())


def test_the_last_result_is_shown_until_another_works() -> None:
    at = page(**SMALL_PAGE)
    at.number_input(key="seed").set_value(3).run()
    at.number_input(key="features").set_value(2).run()
    at.number_input(key="seed").set_value(4).run()
    at.number_input(key="channel").set_value(2).run()
    expected = trace_block(3, X, 4)["out"][:, :, 2]
    np.testing.assert_array_equal(drawn(at, "stages", "out"), expected)
    at.segmented_control(key="view").set_value("what_if").run()
    np.testing.assert_array_equal(drawn(at, "compared", "out"), expected)
    at.segmented_control(key="view").set_value("forward").run()
    at.number_input(key="features").set_value(4).run()
    assert digest(at) == trace_block(4, X, 4).digest()
    assert at.query_params == SMALL_PAGE | {"features": "4", "seed": "4", "channel": "2"}


def test_a_bad_file_leaves_widgets_and_picture() -> None:
    x = np.random.default_rng(0).standard_normal((5, 7, 3), np.float32)
    at = upload(page(**SMALL_PAGE, seed="9", mode="eval", warmup="2"), "a.npy", npy(x))
    good = drawn(at, "stages", "out")
    widgets = settings(at)
    assert {"seed", "features", "mode", "warmup", "standardise"} <= widgets
    at.file_uploader(key="file").upload("b.npy", b"nothing", "application/octet-stream").run()
    assert not at.exception
    assert len(messages(at, "error")) == 1
    assert settings(at) >= widgets - {"layout"}  # of arrays
    assert at.number_input(key="seed").value == 9
    assert at.number_input(key="warmup").value == 2
    assert stale_figures(at) == {"stages": True}
    np.testing.assert_array_equal(drawn(at, "stages", "out"), good)


def test_a_file_is_kept_only_as_a_result_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).standard_normal((5, 7, 3), np.float32)
    at = upload(page(**SMALL_PAGE), "a.npy", npy(x))
    monkeypatch.setattr(cache, "RESULT_CACHE", ResultCache(32, 2**28, 60))
    at.file_uploader(key="file").upload("b.npy", b"nothing", "application/octet-stream").run()
    assert not at.exception
    assert len(messages(at, "error")) == 1
    assert not figure_messages(at)


def test_a_busy_server_leaves_widgets_and_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "RESULT_CACHE", ResultCache(64, 2**28, 60))
    at = page(view="what_if", **SMALL_PAGE)
    widgets = settings(at)
    with monkeypatch.context() as patch:
        patch.setattr(cache, "WORK_LIMITER", WorkLimiter(slots=0, queue=0, timeout=0))
        at.number_input(key="seed").set_value(11).run()
        assert not at.exception
        assert "Server busy" in messages(at, "warning")[0]
        assert settings(at) == widgets
        assert stale_figures(at) == {"compared": True}
        at.selectbox(key="variant").set_value("bottleneck").run()
        assert not at.exception
        assert len(messages(at, "warning")) == 2
        assert stale_figures(at) == {"compared": True}
    at.button(key="try again page").click().run()
    assert not messages(at, "warning")
    assert stale_figures(at) == {"compared": False}


def test_warm_up_passes_have_one_widget_while_the_last_result_is_shown() -> None:
    at = page(view="what_if", variant="eval_untrained", **SMALL_PAGE)
    at.number_input(key="features").set_value(2).run()
    at.segmented_control(key="mode").set_value("eval").run()
    assert not at.exception
    assert stale_figures(at) == {"compared": True}


@pytest.mark.parametrize("view", ["forward", "gradients"])
def test_another_session_has_nothing_to_show(view: str) -> None:
    page(view=view, **SMALL_PAGE)
    at = page(view=view, features="2", **SMALL_PAGE)
    assert len(messages(at, "error")) == 1
    assert not figure_messages(at)
    assert {"seed", "features", "widen", "mode", "standardise"} <= settings(at)


def test_a_missing_file_leaves_the_widgets() -> None:
    at = page(input="upload", seed="5", features="7", mode="eval", warmup="3", widen="projection")
    assert {"seed", "features", "widen", "mode", "warmup", "standardise"} <= settings(at)
    assert at.query_params["warmup"] == "3"
    assert at.query_params["widen"] == "projection"


def test_a_gradient_that_does_not_exist_leaves_the_last_one() -> None:
    at = page(view="gradients", cotangent="error", **SMALL_PAGE)
    before = figure_messages(at)["gradients"]
    at.selectbox(key="variant").set_value("zero_pad").run()
    assert not at.exception
    assert "choose another cotangent" in messages(at, "error")[0]
    after = figure_messages(at)["gradients"]
    assert after["digest"] == before["digest"]
    assert after["stale"]
    assert not at.metric
    assert at.segmented_control(key="cotangent").value == "error"
    at.segmented_control(key="cotangent").set_value("ones").run()
    assert not messages(at, "error")
    assert stale_figures(at) == {"gradients": False}
