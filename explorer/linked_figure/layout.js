/**
 * Fits a figure's layout to the space on the page, and reads the page's theme.
 * @import { Layout, Message } from "./payload.js"
 */

const NARROW_BELOW = 800; // CSS pixels of space under which the narrow layout is used
const NARROW_MAX = 620; // CSS pixels beyond which the narrow layout does not grow

/**
 * Return a copy of the layout for this much space; what lies inside the margins keeps its
 * proportions. Plotly writes into the layout that it draws.
 * @param {Layout} wide
 * @param {Layout | null} narrow
 * @param {number} space CSS pixels
 * @returns {Layout}
 */
export function fitLayout(wide, narrow, space) {
  const isNarrow = narrow !== null && space < NARROW_BELOW;
  const layout = isNarrow ? narrow : wide;
  const width = isNarrow ? Math.min(space, NARROW_MAX) : space;
  const { l, r, t, b } = layout.margin;
  const scale = layout.meta?.fixedHeight ? 1 : (width - l - r) / (layout.width - l - r);
  const height = Math.round((layout.height - t - b) * scale + t + b);
  return { ...structuredClone(layout), width, height };
}

/**
 * Return the names of the axes of some traces, such as "xaxis2".
 * @param {Message["figure"]["data"]} data
 * @param {string[]} traces
 */
export function axesOf(data, traces) {
  const found = data.filter((trace) => traces.includes(trace.name ?? ""));
  const ids = found.flatMap((trace) => [trace.xaxis ?? "x", trace.yaxis ?? "y"]);
  return ids.map((id) => id.replace(/^[xy]/, "$&axis"));
}

/**
 * Return the theme that the page shows, by the brightness of its background.
 * @param {Element} node
 * @returns {"light" | "dark"}
 */
export function pageTheme(node) {
  const canvas = document.createElement("canvas");
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = getComputedStyle(node).getPropertyValue("--st-background-color");
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return red + green + blue < 384 ? "dark" : "light";
}
