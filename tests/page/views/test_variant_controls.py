"""The choice of a variant, which What if and Gradients share, without a browser."""

import numpy as np
import pytest

from explorer import trace_block
from explorer.inputs import generate
from explorer.model.variants import V1, VARIANTS, with_bias, zero_gamma
from tests.helpers import SMALL, SMALL_PAGE, control, decoded, figure_messages, messages, page

X = generate("zone_plate", *SMALL)


def panels(at: object, key: str) -> dict[str, np.ndarray]:
    data = figure_messages(at)[key]["figure"]["data"]  # type: ignore[arg-type]
    return {item["name"]: decoded(item["z"]) for item in data if "z" in item}


def test_the_variants_are_offered_group_by_group() -> None:
    options = page(view="what_if", **SMALL_PAGE).selectbox(key="variant").options
    assert options[:2] == [V1.title, "Skip · No skip"]
    assert len(options) == len(VARIANTS)
    groups = [option.split(" · ")[0] for option in options[1:]]
    assert list(dict.fromkeys(groups)) == ["Skip", "Order", "Norm", "Shape", "Other"]
    assert groups == sorted(groups, key=list(dict.fromkeys(groups)).index)


def test_a_variant_stays_chosen_from_one_view_to_the_other() -> None:
    at = page(view="what_if", **SMALL_PAGE)
    for view in ("gradients", "what_if"):  # No skip is the default of one of them
        at.segmented_control(key="view").set_value(view).run()
        assert at.selectbox(key="variant").value == "no_skip"
    at.selectbox(key="variant").select("projection").run()
    at.segmented_control(key="stride").set_value("2").run()
    at.segmented_control(key="view").set_value("gradients").run()
    assert at.selectbox(key="variant").value == "projection"
    assert figure_messages(at)["gradients"]["link"]["grids"]["bn2"] == [0, 2]


@pytest.mark.parametrize("view", ["forward", "what_if"])
def test_the_block_of_gradients_is_no_choice_until_it_is_changed(view: str) -> None:
    at = page(view="gradients", **SMALL_PAGE)
    assert at.selectbox(key=control(at, "variant")).value == "v1"
    at.segmented_control(key=control(at, "view")).set_value(view).run()
    at.segmented_control(key=control(at, "view")).set_value("what_if").run()
    assert at.selectbox(key=control(at, "variant")).value == "no_skip"
    at.selectbox(key=control(at, "variant")).select("v1").run()
    assert at.selectbox(key=control(at, "variant")).value == "v1"


def test_gamma_and_bias_of_gradients_are_compared_in_what_if() -> None:
    at = page(view="gradients", **SMALL_PAGE)
    at.slider(key="gamma2").set_value(0.25)
    at.segmented_control(key="shifted").set_value("bn1")
    at.slider(key="shift").set_value(-1.5).run()
    at.segmented_control(key="view").set_value("what_if").run()
    assert not messages(at, "error")
    spec = with_bias(zero_gamma(0.25), "bn1", -1.5)
    expected = trace_block(0, X, SMALL[2], variant=spec)
    np.testing.assert_array_equal(panels(at, "compared")["variant out"], expected["out"][:, :, 0])
    assert at.table[0].value["block"][1] == "v1, γ₂ = 0.25, bn1's bias −1.5"


def test_another_variant_has_its_own_default_of_gamma() -> None:
    at = page(view="what_if", variant="v1", gamma2="0.5", **SMALL_PAGE)
    at.selectbox(key=control(at, "variant")).select("zero_gamma").run()
    assert at.slider(key=control(at, "gamma2")).value == 0
    assert "gamma2" not in at.query_params
    at.selectbox(key=control(at, "variant")).select("v1").run()
    assert at.slider(key=control(at, "gamma2")).value == 1


def test_a_variant_that_does_not_run_can_be_mended_in_gradients() -> None:
    at = page(view="gradients", variant="valid_padding", **SMALL_PAGE)
    assert "The addition does not run" in messages(at, "error")[0]
    at.segmented_control(key="fix").select("crop_identity").run()
    assert not messages(at, "error")
    assert "identity" in figure_messages(at)["gradients"]["link"]["panels"]
