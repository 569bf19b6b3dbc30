"""The contrast of the page's texts with what is behind them, after WCAG 2.2, 1.4.3."""

from playwright.sync_api import Page

LEAST = 4.5  # WCAG AA for text of ordinary size

# Returns [contrast, text, colour, background] of every text on the page. Texts of disabled
# controls are exempt, and so are swatches, which are no text. The colour behind a text is that of
# its ancestors that it lies on, over each other. Numbers on cells are left to
# tests/figures/test_contrast.py, since their background is an image.
_MEASURE = r"""() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (front, back) =>
    [0, 1, 2].map((i) => front[3] * front[i] + (1 - front[3]) * back[i]);
  const luminance = (colour) => {
    const [r, g, b] = colour.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const ancestors = (node) => (node ? [...ancestors(node.parentElement), node] : []);
  const measured = (node, text, colour) => {
    const box = node.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const chain = ancestors(node);
    const styles = chain.map((each) => getComputedStyle(each));
    let behind = [255, 255, 255];
    chain.forEach((each, index) => {
      const { left, right, top, bottom } = each.getBoundingClientRect();
      const isUnder = left <= x && x <= right && top <= y && y <= bottom;
      if (isUnder || each === document.body) {
        behind = over(rgba(styles[index].backgroundColor), behind);
      }
    });
    const front = rgba(colour);
    for (const style of styles) front[3] *= Number(style.opacity);
    if (front[3] === 0) return [Infinity, text, [], behind]; // not shown, such as a slider's ends
    const shown = over(front, behind);
    return [ratio(shown, behind), text, shown.map(Math.round), behind.map(Math.round)];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.replace(/[\s\u200b■]/g, "");
    const node = walker.currentNode.parentElement;
    if (!text || !node.checkVisibility({ visibilityProperty: true })) continue;
    if (node.closest("script, style, noscript, [aria-disabled=true], :disabled")) continue;
    if (node.closest(".linked-figure-spoken, .textpoint")) continue;
    const { width, height } = node.getBoundingClientRect();
    if (width < 2 || height < 2) continue;
    const style = getComputedStyle(node);
    const isSvg = node instanceof SVGElement;
    found.push(measured(node, text, isSvg ? style.fill : style.color));
  }
  for (const field of document.querySelectorAll("input[placeholder], textarea[placeholder]")) {
    if (field.value || field.disabled || !field.checkVisibility()) continue;
    found.push(measured(field, field.placeholder, getComputedStyle(field, "::placeholder").color));
  }
  return found;
}"""


def too_faint(page: Page) -> list[str]:
    """Return the texts on the page, without their spaces, with too little contrast, each once."""
    found = {
        f"{text!r}: {ratio:.2f} : 1, {colour} on {behind}"
        for ratio, text, colour, behind in page.evaluate(_MEASURE)
        if ratio < LEAST
    }
    return sorted(found)
