"""Labels of figures that overlap, are cut, or are crossed by a wire, as the browser draws them."""

from playwright.sync_api import Page

# Boxes are made smaller by this many CSS pixels on each side: a line of text is higher than its
# letters.
_MEASURE = """() => {
  const slack = 2;
  const found = [];
  const onto = (a, b) =>
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  for (const plot of document.querySelectorAll(".linked-figure-plot")) {
    const frame = plot.getBoundingClientRect();
    const texts = [...plot.querySelectorAll("text")]
      .filter((node) => node.textContent.trim() && !node.closest(".textpoint, .scatterlayer"))
      .filter((node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
      .map((node) => {
        const { left, right, top, bottom } = node.getBoundingClientRect();
        return {
          words: node.textContent,
          left: left + slack, right: right - slack, top: top + slack, bottom: bottom - slack,
        };
      })
      .filter((text) => text.right > text.left && text.bottom > text.top);
    texts.forEach((text, index) => {
      if (text.left < frame.left - 2 * slack || text.right > frame.right + 2 * slack ||
          text.top < frame.top - 2 * slack || text.bottom > frame.bottom + 2 * slack) {
        found.push(`"${text.words}" is cut`);
      }
      for (const other of texts.slice(index + 1)) {
        if (onto(text, other)) found.push(`"${text.words}" is on "${other.words}"`);
      }
    });
    const paths = [...plot.querySelectorAll(".shapelayer path")];
    const isFilled = ({ style }) => style.fill !== "none" && style.fillOpacity !== "0";
    const areas = paths.filter(isFilled).map((path) => path.getBoundingClientRect());
    const free = texts.filter((text) => !areas.some((area) =>
      area.left < text.left && area.right > text.right &&
      area.top < text.top && area.bottom > text.bottom));
    for (const path of paths) {
      if (isFilled(path)) continue;
      const matrix = path.getScreenCTM();
      const points = Array.from({ length: 200 }, (_, step) =>
        path.getPointAtLength((step / 199) * path.getTotalLength()).matrixTransform(matrix));
      for (const text of free) {
        if (points.some(({ x, y }) =>
          x > text.left && x < text.right && y > text.top && y < text.bottom)) {
          found.push(`a line crosses "${text.words}"`);
        }
      }
    }
  }
  return found;
}"""


def unreadable_labels(page: Page) -> list[str]:
    """Return what is wrong with the labels of all figures on the page, each once."""
    return sorted(set(page.evaluate(_MEASURE)))
