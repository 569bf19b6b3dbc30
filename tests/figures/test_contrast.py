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


# Linear RGB as dichromats see it (Machado, Oliveira and Fernandes 2009, severity 1).
SEEN_BY = {
    "everyone": np.eye(3),
    "protanopes": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopes": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopes": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def difference(one: str, other: str, reader: str) -> float:
    """Return the distance of two colours in CIELAB as this kind of reader sees them."""
    places = []
    for colour in (one, other):
        parts = np.array(rgb(colour)) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        seen = TO_XYZ @ np.clip(SEEN_BY[reader] @ linear, 0, 1) / TO_XYZ.sum(axis=1)
        x, y, z = np.where(seen > 0.008856, np.cbrt(seen), 7.787 * seen + 16 / 116)
        places.append(np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)]))
    return float(np.linalg.norm(places[0] - places[1]))


def test_the_difference_of_known_colours() -> None:
    assert difference("#000000", "#ffffff", "everyone") == pytest.approx(100, abs=0.1)
    assert difference("#ff0000", "#00ff00", "everyone") == pytest.approx(170.6, abs=0.5)
    assert difference("#ff0000", "#00ff00", "deuteranopes") < 100


@pytest.mark.parametrize("reader", SEEN_BY)
@pytest.mark.parametrize("theme", THEMES)
def test_networks_differ_from_each_other_and_from_the_paths_for_every_reader(
    theme: ThemeName, reader: str
) -> None:
    """A distance of 2.3 is just noticeable."""
    palette = THEMES[theme]
    both = palette.residual_network, palette.plain_network
    assert difference(*both, reader) > 30
    for colour in both:
        for path in (palette.branch, palette.identity):
            assert difference(colour, path, reader) > 10


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
