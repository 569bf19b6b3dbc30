import pytest

from explorer import VARIANTS
from explorer.model.spec import Grid
from explorer.model.variants import CROPPED_IDENTITY, V1, projection, scaled_skip, zero_gamma


def test_sources_are_the_wires() -> None:
    assert V1.sources() == {
        "conv1": ("x",),
        "bn1": ("conv1",),
        "relu1": ("bn1",),
        "conv2": ("relu1",),
        "bn2": ("conv2",),
        "add": ("bn2", "x"),
        "out": ("add",),
    }
    assert VARIANTS["projection"].sources()["add"] == ("bn2", "bn_proj")
    assert VARIANTS["no_skip"].sources()["out"] == ("bn2",)
    assert VARIANTS["full_preact"].sources()["out"] == ("add",)


@pytest.mark.parametrize(
    ("name", "residual", "identity", "cut"),
    [
        ("v1", "bn2", "x", "add"),
        ("no_skip", "bn2", None, "bn2"),
        ("bn_after_add", "conv2", "x", "bn2"),
        ("full_preact", "conv2", "x", None),
        ("scaled_skip", "scaled_f", "scaled_x", "add"),
        ("transformer_attention", "attention", "x", None),
    ],
)
def test_what_meets_and_what_is_cut(
    name: str, residual: str, identity: str | None, cut: str | None
) -> None:
    spec = VARIANTS[name]
    assert (spec.residual, spec.identity, spec.cut) == (residual, identity, cut)


def test_grids_lie_on_x() -> None:
    assert set(V1.grids().values()) == {Grid(0, 1)}
    halved = projection(4, 2).grids()
    assert halved["x"] == Grid(0, 1)
    assert {halved[stage] for stage in ("conv1", "bn2", "proj", "add", "out")} == {Grid(0, 2)}
    cropped = CROPPED_IDENTITY.grids()
    assert (cropped["conv1"], cropped["conv2"]) == (Grid(1, 1), Grid(2, 1))
    assert cropped["crop"] == cropped["out"] == Grid(2, 1)


def test_recipes_that_differ_in_numbers_share_a_program() -> None:
    assert zero_gamma(0.2) != zero_gamma(0.3)
    assert zero_gamma(0.2).program() == zero_gamma(0.3).program() == V1.program()
    assert scaled_skip(0.2).program() == scaled_skip(0.9).program() != V1.program()
    assert zero_gamma(0.2).values()["bn2"] == {"scale": 0.2, "bias": 0}
