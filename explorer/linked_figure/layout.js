/**
 * Fits a figure's layout to the space on the page, and reads the page's theme.
 * @import { ColourBar, Layout, Message } from "./payload.js"
 */

const NARROW_BELOW = 800; // CSS pixels of space under which the narrow layout is used
const NARROW_MAX = 620; // CSS pixels beyond which the narrow layout does not grow
const MAX_ASPECT = 0.6; // height of charts by their width, up to which they fill a high window
const NARROWEST_CORNER = 260; // CSS pixels under which a pixel's values do not stand in the figure

/**
 * Return a copy of the layout for this much space. In less space than it was made for, what lies
 * inside the margins keeps its proportions and texts keep their size; in more, all of it grows.
 * Charts of fixed height only become wider, and higher in a high window if they say so.
 * Plotly writes into the layout that it draws.
 * @param {Layout} wide
 * @param {Layout | null} narrow
 * @param {number} space CSS pixels
 * @returns {Layout}
 */
export function fitLayout(wide, narrow, space) {
  const isNarrow = narrow !== null && space < NARROW_BELOW;
  const layout = withPlotlyNames(structuredClone(isNarrow ? narrow : wide));
  const width = isNarrow ? Math.min(space, NARROW_MAX) : space;
  if (layout.meta?.fixedHeight) {
    const { around = Infinity } = layout.meta;
    const most = Math.min(window.innerHeight - around, MAX_ASPECT * width);
    return { ...layout, width, height: Math.max(layout.height, Math.round(most)) };
  }
  if (width > layout.width) return enlarged(layout, width / layout.width);
  const { l, r, t, b } = layout.margin;
  const scale = (width - l - r) / (layout.width - l - r);
  const height = Math.round((layout.height - t - b) * scale + t + b);
  return { ...layout, width, height };
}

/**
 * Rename the first axes as Plotly renames them in the traces that it draws, which are drawn again.
 * @param {Layout} layout
 */
function withPlotlyNames({ xaxis1, yaxis1, ...layout }) {
  return /** @type {Layout} */ ({
    ...layout,
    ...(xaxis1 ? { xaxis: xaxis1 } : {}),
    ...(yaxis1 ? { yaxis: yaxis1 } : {}),
  });
}

/**
 * Return a layout in which all lengths and texts are `by` times as large.
 * @param {Layout} layout
 * @param {number} by
 * @returns {Layout}
 */
function enlarged(layout, by) {
  const { l, r, t, b } = layout.margin;
  const font = layout.template.layout.font.size * by;
  const { coloraxis } = layout;
  return {
    ...layout,
    ...Object.fromEntries(frames(layout, by)),
    meta: { ...layout.meta, scale: by },
    shapes: layout.shapes?.map((each) => ({
      ...each,
      line: { ...each.line, width: each.line.width * by },
    })),
    width: Math.round(layout.width * by),
    height: Math.round(layout.height * by),
    margin: { l: l * by, r: r * by, t: t * by, b: b * by },
    annotations: layout.annotations?.map((each) => ({
      ...each,
      text: each.text.replace(/(?<=font-size:)\d+/g, (size) => String(Number(size) * by)),
      font: { ...each.font, size: each.font?.size ? each.font.size * by : font },
      xshift: (each.xshift ?? 0) * by,
      yshift: (each.yshift ?? 0) * by,
    })),
    ...(coloraxis && { coloraxis: { ...coloraxis, colorbar: bar(coloraxis.colorbar, font) } }),
  };
}

/**
 * Return the axes by name, with frames `by` times as wide.
 * @param {Layout} layout
 * @param {number} by
 */
function frames(layout, by) {
  const names = Object.keys(layout).filter((name) => /^[xy]axis/.test(name));
  return names.map((name) => {
    const axis = /** @type {{ linewidth?: number }} */ (layout[name]);
    return [name, { ...axis, ...(axis.linewidth && { linewidth: axis.linewidth * by }) }];
  });
}

/**
 * Return a colour bar with texts of this size.
 * @param {ColourBar} colourBar
 * @param {number} size CSS pixels
 */
function bar(colourBar, size) {
  const font = { size };
  return { ...colourBar, tickfont: font, title: { ...colourBar.title, font } };
}

/**
 * Return where the figure has room for a pixel's values, in CSS pixels; null if that is too little.
 * @param {Layout} layout as `fitLayout` returns it
 */
export function cornerOf({ width, height, margin, meta }) {
  if (!meta?.corner) return null;
  const { l, r, t, b } = margin;
  const [left, right, top, bottom] = meta.corner;
  const corner = {
    left: l + left * (width - l - r),
    top: t + top * (height - t - b),
    width: (right - left) * (width - l - r),
    height: (bottom - top) * (height - t - b),
  };
  return corner.width < NARROWEST_CORNER ? null : corner;
}

/**
 * Return the names of the axes of some traces, such as "xaxis2".
 * @param {Message["figure"]["data"]} data
 * @param {string[]} traces
 */
export function axesOf(data, traces) {
  const found = data.filter((trace) => traces.includes(trace.name ?? ""));
  const ids = found.flatMap((trace) => [trace.xaxis ?? "x", trace.yaxis ?? "y"]);
  return ids.map((id) => id.replace(/^([xy])(1$)?/, "$1axis"));
}

/**
 * Return the theme that the page shows, by the brightness of its background.
 * @param {Element} node
 * @returns {"light" | "dark"}
 */
export function pageTheme(node) {
  return isDark(getComputedStyle(node).getPropertyValue("--st-background-color"))
    ? "dark"
    : "light";
}

/**
 * Return whether a CSS colour is nearer to black than to white.
 * @param {string} colour
 */
export function isDark(colour) {
  const canvas = document.createElement("canvas");
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return red + green + blue < 384;
}
