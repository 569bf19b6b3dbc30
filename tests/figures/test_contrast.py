"""Texts of figures against what is behind them: at least 4.5 : 1, as WCAG AA asks."""

import tomllib

import numpy as np
import pytest
from plotly.colors import sample_colorscale, unlabel_rgb

from explorer import trace_block
from explorer.analysis.pixel import Cell, explain
from explorer.figures.cell_text import black_or_white, luminance, rgb
from explorer.figures.pixel import arithmetic_figure
from explorer.figures.theme import THEMES, ThemeName
from explorer.inputs import generate
from tests.helpers import ROOT

LEAST = 4.5
# Colours of texts on the page's background.
OF_TEXTS = (
    "text",
    "muted",
    "branch",
    "identity",
    "trunk",
    "accent",
    "missing",
    "residual_network",
    "plain_network",
)


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    low, high = sorted(luminance(np.array([one, other])))
    return float((high + 0.05) / (low + 0.05))


def test_the_contrast_of_known_colours() -> None:
    assert contrast(rgb("#000000"), rgb("#ffffff")) == pytest.approx(21)
    assert contrast(rgb("#777777"), rgb("#ffffff")) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("name", OF_TEXTS)
@pytest.mark.parametrize("theme", THEMES)
def test_each_colour_of_texts_on_the_page(theme: ThemeName, name: str) -> None:
    palette = THEMES[theme]
    assert contrast(rgb(getattr(palette, name)), rgb(palette.page)) >= LEAST


def mixed(front: str, share: float, back: str) -> tuple[int, ...]:
    pairs = zip(rgb(front), rgb(back), strict=True)
    return tuple(round(share * one + (1 - share) * other) for one, other in pairs)


@pytest.mark.parametrize("back", ["#ffffff", "#f8f8f7"])  # of the page and of the sidebar
def test_captions_and_selected_buttons_in_the_light_theme(back: str) -> None:
    """Streamlit gives captions 60 % of the text's opacity, and selected buttons a tint."""
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    light = config["theme"]["light"]
    assert contrast(mixed(light["textColor"], 0.6, back), rgb(back)) >= LEAST
    tint = mixed(light["primaryColor"], 0.1, back)
    assert contrast(rgb(light["primaryColor"]), tint) >= LEAST


def test_black_or_white_is_readable_on_every_colour() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (2000, 3))
    for colour, text in zip(colours, black_or_white(colours), strict=True):
        assert contrast(tuple(colour), rgb(text)) >= LEAST


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("cell", [Cell("conv2", 0, 7, 5), Cell("conv1", 3, 3, 0)])
def test_every_number_on_a_cell_of_the_arithmetic(theme: ThemeName, cell: Cell) -> None:
    trace = trace_block(0, generate("normal", 8, 8, 12, 0), 12)
    drawn = {item.name: item for item in arithmetic_figure(explain(trace, cell), theme=theme).data}
    numbers = 0
    for name, cells in drawn.items():
        if f"{name} in figures" not in drawn:
            continue
        texts = drawn[f"{name} in figures"]
        for x, y, text, colour in zip(
            texts.x, texts.y, texts.text, texts.textfont.color, strict=True
        ):
            part = (cells.z[y, x] - cells.zmin) / (cells.zmax - cells.zmin)
            (behind,) = sample_colorscale([each for _, each in cells.colorscale], [part])
            assert contrast(tuple(map(int, unlabel_rgb(behind))), rgb(colour)) >= LEAST, text
            assert text == "pad" or float(text.replace("−", "-")) == pytest.approx(
                cells.z[y, x], abs=0.005001
            )
            numbers += 1
    assert numbers == 3 * 8 * 9
