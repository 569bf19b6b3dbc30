"""One template, two layouts of the same traces, and one source for the theme's colours."""

import json
import tomllib
from collections.abc import Callable

import pytest

from explorer import STAGES, BlockTrace, trace_block
from explorer.analysis.distributions import distribution
from explorer.analysis.gallery import gallery
from explorer.analysis.receptive_field import influence
from explorer.analysis.stage_view import stage_view
from explorer.engine.gradients import cotangent_of, split_trace
from explorer.engine.paths import path_lengths
from explorer.engine.propagation import propagate
from explorer.engine.stack import Stack
from explorer.figures.depth import curves_layouts
from explorer.figures.depth_paths import paths_layouts
from explorer.figures.distributions import distributions_layouts
from explorer.figures.gallery import gallery_layouts
from explorer.figures.influence import influence_layouts
from explorer.figures.network import network_layouts
from explorer.figures.stage import Part, stage_layouts
from explorer.figures.template import chart_template, map_template
from explorer.figures.theme import THEMES, Theme, ThemeName
from explorer.figures.two_layouts import TwoLayouts
from explorer.linked_figure.payload import as_json
from tests.helpers import ROOT, SMALL, network_trace, noise, strict_json


@pytest.fixture(scope="module")
def trace() -> BlockTrace:
    return trace_block(0, noise(SMALL), 4)


def stage(trace: BlockTrace, theme: ThemeName) -> TwoLayouts:
    return stage_layouts([Part(stage_view(trace))], theme=theme)


def distributions(trace: BlockTrace, theme: ThemeName) -> TwoLayouts:
    found = {name: distribution(trace, name) for name in STAGES}
    return distributions_layouts(found, theme=theme)


def tiles(trace: BlockTrace, theme: ThemeName) -> TwoLayouts:
    return gallery_layouts(trace, gallery(trace, "index"), scope="block", theme=theme)


def influences(trace: BlockTrace, theme: ThemeName) -> TwoLayouts:
    split = split_trace(trace, cotangent_of("pixel", trace, (4, 4, 0)))
    return influence_layouts({"v1": influence(split)}, theme=theme)


def curves(trace: BlockTrace, theme: ThemeName) -> TwoLayouts:
    residual, plain_network = (
        propagate(0, trace["x"], 4, depth=4, variant=name) for name in ("v1", "no_skip")
    )
    return curves_layouts(residual, plain_network, theme=theme)


def paths(trace: BlockTrace, theme: ThemeName) -> TwoLayouts:
    found = path_lengths(Stack.from_seed(0, 4, 4), trace["x"], samples=2)
    return paths_layouts(found, theme=theme)


def network(trace: BlockTrace, theme: ThemeName) -> TwoLayouts:
    return network_layouts(network_trace(trace.spec, 2), channel=None, theme=theme)


FIGURES = (stage, distributions, tiles, influences, curves, paths, network)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("draw", FIGURES)
def test_both_layouts_are_of_the_same_traces_and_have_the_template(
    trace: BlockTrace, draw: Callable[[BlockTrace, ThemeName], TwoLayouts], theme: ThemeName
) -> None:
    found = draw(trace, theme)
    for arrangement in ("wide", "narrow"):
        figure = found.figure(arrangement)
        assert len(figure.data) == len(found.data)
        template = figure.layout.template.layout
        assert template.plot_bgcolor == THEMES[theme].page
        assert template.font.color == THEMES[theme].text
        assert figure.layout.plot_bgcolor is None
        axes = {name for name in figure.layout if name.startswith("xaxis")}
        assert axes >= {item.xaxis.replace("x", "xaxis") for item in figure.data}
    assert found.wide["width"] > found.narrow["width"]
    assert found.wide["margin"].keys() >= {"l", "r", "t", "b"}  # the browser scales what is inside
    strict_json(as_json(found.spec()).encode())
    strict_json(as_json(found.narrow).encode())


@pytest.mark.parametrize("theme", THEMES.values())
def test_a_template_is_built_once_and_stays_small(theme: Theme) -> None:
    for template in (chart_template, map_template):
        assert template(theme) is template(theme)
        assert len(json.dumps(template(theme))) < 1000


def test_streamlits_theme_has_the_figures_colours() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    for name, theme in THEMES.items():
        streamlit = config["theme"][name]
        assert streamlit["primaryColor"] == theme.identity
        assert streamlit.get("backgroundColor", "#ffffff") == theme.page


@pytest.mark.parametrize("theme", THEMES.values())
def test_colours_of_lines_and_labels_stand_out_from_the_background(theme: Theme) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for name in ("identity", "residual_network", "plain_network"):
        pair = luminance(getattr(theme, name)), luminance(theme.page)
        assert (max(pair) + 0.05) / (min(pair) + 0.05) >= 4.5
