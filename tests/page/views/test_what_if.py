"""The logic of the What if view, without a browser."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer import VARIANTS, Model, trace_block
from explorer.analysis.summary import headline
from explorer.engine.linen_parity import linen_parity
from explorer.engine.state import state_variables
from explorer.inputs import generate, project_channels, standardise
from explorer.inputs.source_code import generator_source
from explorer.model.source_code import nnx_script, source_diff
from explorer.model.variants import (
    CROPPED_IDENTITY,
    FIXES,
    V1,
    projection,
    scaled_skip,
    zero_gamma,
)
from tests.files import npy
from tests.helpers import SMALL, SMALL_PAGE, figure_messages, messages, page, upload

X = generate("zone_plate", 32, 32, 8)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_on_noise_a_pattern_and_a_file(name: str) -> None:
    at = page(view="what_if", variant=name, **SMALL_PAGE)
    for kind in ("normal", "edge"):
        at.selectbox(key="input").select(kind).run()
        expect_figure(at, name)
    upload(at, "mine.npy", npy(generate("normal", *SMALL, 3)))
    expect_figure(at, name)


def expect_figure(at: object, name: str) -> None:
    assert not at.exception  # type: ignore[attr-defined]
    drawn = figure_messages(at)["compared"]["link"]["panels"]  # type: ignore[arg-type]
    errors = messages(at, "error")  # type: ignore[arg-type]
    if name in FIXES:
        assert len(errors) == 1
        assert "The addition does not run" in errors[0]
        assert "JAX says" in errors[0]
        assert drawn[-1] == "out"
    else:
        assert errors == []
        assert drawn[-1] == "variant out"


def test_both_rows_of_numbers_are_the_traces() -> None:
    at = page(input="zone_plate", view="what_if", variant="no_skip")
    (table,) = at.table
    for row, name in enumerate(("v1", "no_skip")):
        numbers = headline(trace_block(0, X, 8, variant=name))
        assert table.value["‖F(x)‖ / ‖x‖"][row] == f"{numbers.ratio:.3f}"
        assert table.value["std of out"][row] == f"{numbers.spread:.3f}"
        assert table.value["zeroed by the last ReLU"][row] == f"{numbers.zeroed:.1%}"
        assert table.value["correlation of out with x"][row] == f"{numbers.correlation:.3f}"
    assert list(table.value["add − F(x) − x"]) == ["0", "–"]
    assert list(table.value["variance from x"]) == ["33%", "–"]


@pytest.mark.parametrize("name", ["no_skip", "bn_after_add", "projection"])
def test_what_remains_of_the_input_is_said_in_numbers(name: str) -> None:
    """Rings of the zone plate are visible without a skip, with a correlation of 0.103."""
    before, after = (
        f"{headline(trace_block(0, X, 8, variant=block)).correlation:.3f}".replace("-", "−")
        for block in ("v1", name)
    )
    words = [
        caption.value for caption in page(input="zone_plate", view="what_if", variant=name).caption
    ]
    start = f"The correlation of out with x is {before} in v1 and {after} in the variant."
    assert sum(each.startswith(start) for each in words) == 1


def test_a_sentence_says_what_is_unchanged_and_how_much_out_differs() -> None:
    v1, other = trace_block(0, X, 8), trace_block(0, X, 8, variant="no_skip")
    part = float((v1["out"] != other["out"]).mean())
    size = np.linalg.norm(v1["out"] - other["out"]) / np.linalg.norm(v1["out"])
    words = [each.value for each in page(input="zone_plate", view="what_if").markdown]
    assert (
        "Unchanged, bit by bit: conv1, bn1, relu1, conv2, bn2. out differs from that of v1 in "
        f"{part:.1%} of the cells of all channels; the difference is {size:.2f} × as large as out "
        "of v1 (Euclidean norms)."
    ) in words
    same = [each.value for each in page(input="zone_plate", view="what_if", variant="v1").markdown]
    assert any(each.endswith("out is that of v1 in every cell.") for each in same)
    link = {"input": "zone_plate", "variant": "projection", "stride": "2"}
    smaller = [each.value for each in page(view="what_if", **link).markdown]
    assert "out is 16×16×8 instead of 32×32×8." in smaller


def test_what_both_blocks_share_is_drawn_once() -> None:
    at = page(view="what_if", variant="relu_before_add", pin="bn2,3,4")
    link = figure_messages(at)["compared"]["link"]
    own = ["variant x", "variant conv1", "variant bn1", "variant relu1", "variant conv2"]
    own += ["variant bn2", "variant relu2", "variant identity", "variant add", "variant out"]
    assert sorted(link["panels"]) == sorted([*own, "add", "out"])
    assert link["pin"] == {"panel": "variant bn2", "row": 3, "col": 4}
    v1, variant = ([t["panel"] for t in line if t["kind"] == "value"] for line in link["readout"])
    assert v1 == ["variant x", "variant bn2", "add", "out"]
    assert variant == ["variant x", "variant relu2", "variant add", "variant out"]


def test_nothing_is_said_of_an_undefined_correlation() -> None:
    at = page(input="zone_plate", view="what_if", variant="zero_pad")
    assert list(at.table[0].value["correlation of out with x"])[1] == "–"
    assert not any("correlation of out with x is" in caption.value for caption in at.caption)


def test_description_and_source_are_on_the_page() -> None:
    at = page(input="zone_plate", view="what_if", variant="bn_after_add")
    assert VARIANTS["bn_after_add"].description in [m.value for m in at.markdown]
    assert any(": 8.17 against 6.61" in c.value for c in at.caption)


def drawn_out(at: object) -> list[str]:
    panels = figure_messages(at)["compared"]["figure"]["data"]  # type: ignore[arg-type]
    return next(item["z"]["bdata"] for item in panels if item["name"] == "variant out")


def test_a_link_sets_variant_and_parameters() -> None:
    one = page(input="zone_plate", view="what_if", variant="projection", out="12", stride="2")
    two = page(input="zone_plate", view="what_if", variant="zero_gamma", gamma2="0.3")
    for at, spec in ((one, projection(12, 2)), (two, zero_gamma(0.3))):
        assert not at.exception
        row = at.table[0].value["zeroed by the last ReLU"][1]
        assert row == f"{headline(trace_block(0, X, 8, variant=spec)).zeroed:.1%}"
    assert one.number_input(key="out").value == 12
    assert two.slider(key="gamma2").value == 0.3


def test_the_fixes_run() -> None:
    at = page(input="zone_plate", view="what_if", variant="valid_padding")
    assert len(messages(at, "error")) == 1
    at.segmented_control(key="fix").select("crop_identity").run()
    assert not messages(at, "error")
    assert CROPPED_IDENTITY.description in [m.value for m in at.markdown]
    at = page(input="zone_plate", view="what_if", variant="wrong_channels", fix="project_identity")
    assert not messages(at, "error")
    assert not at.exception


def test_eval_untrained_uses_its_warmup_passes() -> None:
    at = page(input="zone_plate", view="what_if", variant="eval_untrained", warmup="200")
    trace = trace_block(0, X, 8, variant="eval_untrained", warmup_passes=200)
    assert at.table[0].value["‖F(x)‖ / ‖x‖"][1] == f"{headline(trace).ratio:.3f}"


def test_zero_padding_to_fewer_channels_is_an_error() -> None:
    at = page(input="zone_plate", view="what_if", variant="zero_pad", out="3")
    assert not at.exception
    assert "Zero channels can only be added" in messages(at, "error")[0]


def test_attention_on_a_large_picture_is_an_error() -> None:
    at = page(
        input="zone_plate", view="what_if", variant="transformer_attention", height="65", width="64"
    )
    assert not at.exception
    assert "4,160 tokens, the limit is 4,096" in messages(at, "error")[0]


def test_the_difference_is_a_third_block() -> None:
    at = page(input="zone_plate", view="what_if", variant="relu_before_add", difference="true")
    link = figure_messages(at)["compared"]["link"]
    assert "difference out" in link["panels"]
    assert "difference relu2" not in link["panels"]  # v1 has none to compare it with
    assert len(link["readout"]) == 2


def test_a_pin_on_a_difference_is_restored() -> None:
    at = page(input="zone_plate", view="what_if", difference="true", pin="difference bn2,3,4")
    pin = {"panel": "difference bn2", "row": 3, "col": 4}
    assert figure_messages(at)["compared"]["link"]["pin"] == pin


@pytest.mark.parametrize("side", ["1", "2", "3", "4"])
@pytest.mark.parametrize("fix", ["none", "crop_identity"])
def test_too_small_for_convolutions_without_padding(side: str, fix: str) -> None:
    at = page(
        input="zone_plate",
        view="what_if",
        variant="valid_padding",
        height=side,
        width=side,
        fix=fix,
    )
    assert not at.exception
    assert "convolution without padding needs" in messages(at, "error")[0]
    assert figure_messages(at)["compared"]["link"]["panels"][-1] == "out"


def test_a_channel_that_only_the_variant_has() -> None:
    at = page(input="zone_plate", view="what_if", variant="zero_pad", channel="12", scope="block")
    figure = figure_messages(at)["compared"]["figure"]
    (barred,) = (trace for trace in figure["data"] if "coloraxis" in trace)
    assert barred["name"] == "variant conv1"
    assert figure["layout"]["coloraxis"]["cmax"] == pytest.approx(
        next(t["zmax"] for t in figure["data"] if t["name"] == "variant out")
    )


def test_a_variant_that_does_not_run_has_shapes_and_code() -> None:
    at = page(input="zone_plate", view="what_if", variant="valid_padding", details="code")
    words = " ".join(c.value for c in at.caption)
    assert "x 32×32×8 → conv1 30×30×8 → bn1 30×30×8 → relu1 30×30×8 → conv2 28×28×8" in words
    assert 'padding="VALID"' in at.code[0].value
    state = page(input="zone_plate", view="what_if", variant="valid_padding", details="batch_norm")
    assert len(messages(state, "error")) == 2
    assert not state.exception


def test_the_pin_of_a_variants_panel_is_restored_and_fits_other_views() -> None:
    at = page(input="zone_plate", view="what_if", variant="no_skip", pin="variant bn2,3,4")
    pin = {"panel": "variant bn2", "row": 3, "col": 4}
    assert figure_messages(at)["compared"]["link"]["pin"] == pin
    forward = page(input="zone_plate", pin="variant bn2,3,4")
    assert figure_messages(forward)["stages"]["link"]["pin"] == {"panel": "bn2", "row": 3, "col": 4}


def test_the_code_on_the_page_is_the_tested_code() -> None:
    at = page(input="zone_plate", view="what_if", variant="no_skip", details="code")
    spec, shape = VARIANTS["no_skip"], (32, 32, 8)
    source = generator_source("zone_plate", *shape, 0)
    script = nnx_script(spec, shape, seed=0, features=8, input_source=source)
    assert [c.value for c in at.code] == [source_diff(V1, spec), script.strip()]
    assert not at.get("download_button")


def run_script(at: AppTest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(at.code[-1].value, names)
    out: np.ndarray = names["out"]
    return out


def test_the_script_on_the_page_has_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = SMALL_PAGE | {"input": "normal", "input_seed": "5", "seed": "3", "features": "6"}
    more = {"standardise": "always", "widen": "projection", "mode": "eval", "warmup": "2"}
    view = {"view": "what_if", "variant": "scaled_skip", "factor": "0.3"}
    at = page(details="code", **link, **more, **view)
    assert not at.exception
    x = project_channels(standardise(generate("normal", *SMALL, 5)), 6, 3)
    spec = scaled_skip(0.3)
    trace = trace_block(3, x, 6, variant=spec, use_running_average=True, warmup_passes=2)
    found = run_script(at, tmp_path, monkeypatch)
    np.testing.assert_allclose(found, trace["out"], atol=1e-5)


def test_the_script_of_an_untrained_block_has_its_warmup_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = {"variant": "eval_untrained", "warmup": "4", "details": "code"}
    at = page(view="what_if", **SMALL_PAGE | {"input": "normal"} | link)
    x = generate("normal", *SMALL)
    trace = trace_block(0, x, 4, variant="eval_untrained", warmup_passes=4)
    found = run_script(at, tmp_path, monkeypatch)
    np.testing.assert_allclose(found, trace["out"], atol=1e-5)


def test_an_input_without_a_formula_is_loaded_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = {"height": "8", "width": "6", "details": "code"}
    at = page(view="what_if", input="digit", variant="no_skip", **link)
    assert any("which the button below saves" in c.value for c in at.caption)
    assert len(at.get("download_button")) == 1
    x = standardise(generate("digit", 8, 6, 1))
    np.save(tmp_path / "x.npy", x)
    found = run_script(at, tmp_path, monkeypatch)
    trace = trace_block(0, x, 1, variant="no_skip")
    np.testing.assert_allclose(found, trace["out"], atol=1e-5)


def test_the_state_is_what_nnx_lists() -> None:
    at = page(input="zone_plate", view="what_if", variant="no_skip", details="batch_norm")
    variables = state_variables(Model.from_seed(0, 8, "no_skip"), X)
    *_, statistics, tree = (frame.value for frame in at.dataframe)
    assert list(tree["path"]) == [variable.path for variable in variables]
    assert list(tree["kind"]) == [variable.kind for variable in variables]
    assert set(statistics["changed by train"]) == {"yes"}
    assert set(statistics["changed by eval"]) == {"no"}


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_the_linen_block_is_compared(mode: str) -> None:
    at = page(input="zone_plate", view="what_if", details="code", linen="true", mode=mode)
    parity = linen_parity(Model.from_seed(0, 8), X, use_running_average=mode == "eval")
    (frame,) = (frame.value for frame in at.dataframe)
    assert list(frame["compared"]) == list(parity.differences)
    assert any(f"**{max(parity.differences.values()):.3g}**" in m.value for m in at.markdown)
    assert "nn.compact" in at.code[-2].value


def test_the_linen_block_follows_the_warmup_passes() -> None:
    at = page(
        input="zone_plate", view="what_if", details="code", linen="true", mode="eval", warmup="3"
    )
    at.number_input(key="warmup").set_value(40).run()
    at.segmented_control(key="mode").select("train").run()
    assert not at.exception
    differences = [float(value) for value in at.dataframe[0].value["largest |Linen − NNX|"]]
    assert max(differences) <= 1e-5


def test_an_unknown_variant_in_a_link_falls_back() -> None:
    at = page(
        input="zone_plate",
        view="what_if",
        variant="<b>nonsense</b>",
        stride="7",
        gamma2="nan",
        pin="variant x,1,1",
    )
    assert not at.exception
    assert at.selectbox(key="variant").value == "no_skip"


def test_the_variants_hover_windows_are_its_own() -> None:
    at = page(input="zone_plate", view="what_if", variant="projection", stride="2")
    link = figure_messages(at)["compared"]["link"]
    assert link["fields"]["variant conv2"]["variant x"] == [3, 3]
    assert link["fields"]["conv2"]["variant x"] == [2, 2]  # where v1's x is drawn
    assert link["grids"]["variant conv2"] == [0, 2]
    assert link["grids"]["variant x"] == [0, 1]
    assert np.shape(link["readout"])[0] == 2


def test_a_cached_trace_of_the_same_computation_gets_the_requested_title() -> None:
    """γ₂ = 1 is v1's computation, so both have one key; texts are not part of it."""
    at = page(input="zone_plate", view="what_if", variant="zero_gamma", gamma2="1.0")
    assert list(at.table[0].value["block"]) == ["v1", VARIANTS["zero_gamma"].title]
    headings = [
        note["text"] for note in figure_messages(at)["compared"]["figure"]["layout"]["annotations"]
    ]
    assert any(text.startswith(f"<b>{VARIANTS['zero_gamma'].title}</b>:") for text in headings)
