"""What screen readers get: the browser's accessibility tree of each view."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.page import STAGES, pick, wait_for_figure

SIZE = "input=zone_plate&height=8&width=8&channels=4"
CONV2 = (
    "The arithmetic of conv2[3, 4] = Σ over 4 channels × 9 cells of relu1 · kernel + bias 0.000 = "
)
INFLUENCE = "Maps of how much each pixel of x influences out[4, 4], channel 0: "
CURVES = "Curves over 2 blocks, with shortcuts and without; gradient norm is the large one."
# For each link the page's heading, and the beginning of each figure's label by the figure's key.
VIEWS = {
    f"?{SIZE}&pin=conv2,3,4": (
        "The block, stage by stage",
        {"stages": "The block's stages, linked pixel by pixel.", "arithmetic": CONV2},
    ),
    f"?{SIZE}&details=histograms": (
        "The block, stage by stage",
        {
            "stages": "The block's stages, linked pixel by pixel.",
            "distributions": "Histograms of all values of each stage: x, conv1, bn1, relu1, conv2,",
        },
    ),
    f"?{SIZE}&details=outcomes": (
        "The block, stage by stage",
        {
            "stages": "The block's stages, linked pixel by pixel.",
            "sum_comparison": "Two maps of channel 0: which term dominates each cell of the sum, "
            "and the outcome: stays positive in ",
        },
    ),
    f"?{SIZE}&details=scatter": (
        "The block, stage by stage",
        {"stages": "The block's stages", "scatter": "Every cell as a point: x across, F(x) up"},
    ),
    f"?{SIZE}&details=channels": (
        "The block, stage by stage",
        {"stages": "The block's stages", "gallery": "All channels of every stage."},
    ),
    f"?view=what_if&{SIZE}": (
        "The block and a variant",
        {"compared": "The block's stages, linked pixel by pixel."},
    ),
    f"?view=gradients&{SIZE}&cotangent=pixel&pin=out,4,4": (
        "The gradient, path by path",
        {"gradients": "The block's stages, linked pixel by pixel.", "influence": INFLUENCE},
    ),
    f"?view=depth&{SIZE}&depth=2&runs=1&depth_details=ablation": (
        "Many blocks in a row",
        {
            "curves": CURVES,
            "ablation_figure": "Curves of the output's change by the block that is deleted, in the",
        },
    ),
    f"?view=depth&{SIZE}&depth=2&runs=1&depth_details=paths": (
        "Many blocks in a row",
        {"curves": CURVES, "paths_figure": "Three curves over the length of paths: "},
    ),
}


def tree(page: Page) -> list[dict[str, Any]]:
    """Return the nodes of the accessibility tree that are not ignored."""
    session = page.context.new_cdp_session(page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [node for node in nodes if not node["ignored"]]


def names(nodes: list[dict[str, Any]], *roles: str) -> list[str]:
    return [node["name"]["value"] for node in nodes if node["role"]["value"] in roles]


def level(node: dict[str, Any]) -> int | None:
    found = [
        each["value"]["value"] for each in node.get("properties", ()) if each["name"] == "level"
    ]
    return found[0] if found else None


@pytest.mark.parametrize("link", VIEWS)
def test_each_view_has_one_heading_and_a_sentence_for_each_figure(
    open_page: OpenPage, link: str
) -> None:
    heading, labels = VIEWS[link]
    page = open_page(link)
    for key in labels:
        figure = page.locator(f".st-key-{key} .main-svg").first
        figure.wait_for(state="attached")
    nodes = tree(page)
    headings = [node for node in nodes if node["role"]["value"] == "heading"]
    assert names([node for node in headings if level(node) == 1], "heading") == [heading]
    # A table that Streamlit draws is a canvas without a name.
    found = names(nodes, "image", "application", "SvgRoot", "Canvas")
    figures = [name for name in found if name]
    assert len(figures) == len(labels)
    for label in labels.values():
        (name,) = (name for name in figures if name.startswith(label))
        assert name.endswith(".")


def test_a_pixel_is_spoken_as_one_sentence_of_its_present_values(open_page: OpenPage) -> None:
    page = open_page(f"?{SIZE}&pin=add,3,4")
    wait_for_figure(page)
    page.locator(STAGES).press("ArrowLeft")
    spoken = page.locator(f"{STAGES}-spoken")
    spoken.get_by_text("row 3, column 3").wait_for()
    number = r"(minus )?\d\.\d{3}"
    sentence = (
        rf"Pinned: row 3, column 3, add {number}: x {number} plus F\(x\) {number} equals "
        rf"add {number}(, \(rounded\))?, then ReLU, then out {number}, (x|F\(x\)) dominates"
        r", (zeroed|kept)( because of F\(x\))?: without (it|F\(x\)) the ReLU would (keep|zero) x"
        r"( too)?\."
    )
    said = spoken.inner_text()
    assert re.fullmatch(sentence, said)
    assert any(node["name"].get("value") == said for node in tree(page))

    pick(page, "eval")
    expect(spoken).not_to_have_text(said)
    assert re.fullmatch(sentence, spoken.inner_text())
    page.locator(STAGES).press("PageDown")
    expect(spoken).to_have_text(re.compile(rf"Channel 1\. {sentence}"))
