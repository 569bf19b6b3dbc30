from dataclasses import replace

import pytest

from explorer import VARIANTS
from explorer.model.spec import Grid
from explorer.model.variants import CROPPED_IDENTITY, V1, projection, scaled_skip, zero_gamma


def test_sources_are_the_connections() -> None:
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
    ("name", "residual", "identity", "last_relu_input"),
    [
        ("v1", "bn2", "x", "add"),
        ("no_skip", "bn2", None, "bn2"),
        ("bn_after_add", "conv2", "x", "bn2"),
        ("full_preact", "conv2", "x", None),
        ("scaled_skip", "scaled_f", "scaled_x", "add"),
        ("transformer_attention", "attention", "x", None),
    ],
)
def test_the_terms_of_the_sum_and_the_input_of_the_last_relu(
    name: str, residual: str, identity: str | None, last_relu_input: str | None
) -> None:
    spec = VARIANTS[name]
    assert (spec.residual, spec.identity) == (residual, identity)
    assert spec.last_relu_input == last_relu_input


def test_grids_lie_on_x() -> None:
    assert set(V1.grids().values()) == {Grid(0, 1)}
    halved = projection(4, 2).grids()
    assert halved["x"] == Grid(0, 1)
    assert {halved[stage] for stage in ("conv1", "bn2", "proj", "add", "out")} == {Grid(0, 2)}
    cropped = CROPPED_IDENTITY.grids()
    assert (cropped["conv1"], cropped["conv2"]) == (Grid(1, 1), Grid(2, 1))
    assert cropped["crop"] == cropped["out"] == Grid(2, 1)


def test_specs_that_differ_in_constants_share_a_structure() -> None:
    assert zero_gamma(0.2) != zero_gamma(0.3)
    assert zero_gamma(0.2).structure() == zero_gamma(0.3).structure() == V1.structure()
    assert scaled_skip(0.2).structure() == scaled_skip(0.9).structure() != V1.structure()
    assert zero_gamma(0.2).constants()["bn2"] == {"scale": 0.2, "bias": 0}


def test_texts_are_no_part_of_the_key() -> None:
    other = replace(V1, title="Another", description="Other words.", source="nobody")
    assert other.key == V1.key
    assert zero_gamma(1.0).key == V1.key  # the same computation
    keys = [spec.key for spec in VARIANTS.values()]
    assert len(set(keys)) == len(keys)
    assert len({scaled_skip(factor).key for factor in (0.1, 0.2, 1.0)}) == 3


def test_a_grid_converts_both_ways() -> None:
    grid = Grid(offset=3, stride=2)
    assert [grid.to_x(index) for index in range(3)] == [3, 5, 7]
    assert [grid.to_stage(at) for at in range(2, 8)] == [-1, 0, 0, 1, 1, 2]


def test_a_spec_without_its_shortcut_has_no_sum() -> None:
    without_shortcut = VARIANTS["projection"].without_shortcut()
    assert without_shortcut.stages() == ("x", "conv1", "bn1", "relu1", "conv2", "bn2", "out")
    assert without_shortcut.title == "Projection shortcut, no skip"
