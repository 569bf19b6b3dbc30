/**
 * Makes a picture of a linked figure as it is seen: SVG, or PNG drawn from it.
 * @import { LinkedFigure } from "./component.js"
 */

import { fontRules } from "./fonts.js";
import { SvgPen } from "./svg_pen.js";

const SVG = "http://www.w3.org/2000/svg";
const TITLE_SIZE = 14; // CSS pixels
const MARGIN = 12;
const LINE = 1.5; // height of a line by the size of its text

/**
 * Return the figure with its marks and the values of the pixel, as the text of an SVG file.
 * @param {LinkedFigure} figure
 * @param {{ title: string, background: string }} options `title` is a line above the figure, empty
 *   for none; `background` a CSS colour, empty for a transparent picture
 */
export async function svgOf(figure, { title, background }) {
  const style = getComputedStyle(figure.root);
  const [drawing, fonts] = await Promise.all([drawingOf(figure), fontRules(style.fontFamily)]);
  const { size } = figure.overlay;
  const lines = linesWithin(title, size.width, `${TITLE_SIZE}px ${style.fontFamily}`);
  const top = MARGIN + lines.length * TITLE_SIZE * LINE;
  const hasPixel = figure.cursor !== null || figure.pin !== null;
  const below = hasPixel && !figure.card.isInFigure ? figure.card.place.offsetHeight : 0;
  const whole = {
    x: -MARGIN,
    y: -top,
    width: size.width + 2 * MARGIN,
    height: top + size.height + below + MARGIN,
  };
  const svg = add(document, "svg", {
    width: whole.width,
    height: whole.height,
    viewBox: Object.values(whole).join(" "),
    "font-family": style.fontFamily,
    fill: style.color,
  });
  add(svg, "style", {}).textContent = fonts;
  if (background) add(svg, "rect", { ...whole, fill: background });
  for (const [index, line] of lines.entries()) {
    const y = MARGIN - top + TITLE_SIZE * (1 + LINE * index);
    add(svg, "text", { x: 0, y, "font-size": TITLE_SIZE }).textContent = line;
  }
  svg.append(drawing);
  figure.drawMarks(new SvgPen(add(svg, "g", {})));
  if (hasPixel) writeCard(svg, figure);
  return new XMLSerializer().serializeToString(svg);
}

/**
 * Return a picture of an SVG text.
 * @param {string} text
 * @param {number} scale pixels of the picture for each pixel of the page
 * @returns {Promise<Blob>}
 */
export async function pngOf(text, scale) {
  const image = new Image();
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))));
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * Return what Plotly has drawn.
 * @param {LinkedFigure} figure
 */
async function drawingOf({ plotly, plot, overlay }) {
  const url = await plotly?.toImage(plot, { format: "svg", ...overlay.size });
  const text = decodeURIComponent(String(url).replace(/^[^,]*,/, ""));
  return new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
}

/**
 * Write the card's lines where they stand on the page.
 * @param {Element} svg
 * @param {LinkedFigure} figure
 */
function writeCard(svg, { root, card }) {
  const from = root.getBoundingClientRect();
  const walker = document.createTreeWalker(card.readout, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = /** @type {Element} */ (node.parentElement);
    const style = getComputedStyle(parent);
    for (const { text, rectangle } of linesOf(node)) {
      const baseline = rectangle.bottom - from.top - 0.25 * rectangle.height;
      const written = add(svg, "text", {
        x: rectangle.left - from.left,
        y: baseline,
        fill: style.color,
        "font-size": style.fontSize,
        "font-weight": style.fontWeight,
      });
      written.textContent = text;
    }
  }
}

/**
 * Break a text into lines of at most a width.
 * @param {string} text
 * @param {number} width
 * @param {string} font
 */
function linesWithin(text, width, font) {
  const pen = /** @type {CanvasRenderingContext2D} */ (
    document.createElement("canvas").getContext("2d")
  );
  pen.font = font;
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && pen.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/**
 * Return the lines into which the page has broken a text.
 * @param {Node} node
 * @returns {{ text: string, rectangle: DOMRect }[]}
 */
function linesOf(node) {
  const range = document.createRange();
  /** @type {{ text: string, rectangle: DOMRect }[]} */
  const lines = [];
  for (const { 0: word, index } of (node.textContent ?? "").matchAll(/\S+\s*/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const [rectangle] = range.getClientRects();
    const last = lines.at(-1);
    if (!rectangle) continue;
    if (last && Math.abs(last.rectangle.top - rectangle.top) < 2) last.text += word;
    else lines.push({ text: word, rectangle });
  }
  return lines;
}

/**
 * @param {Element | Document} parent
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
function add(parent, tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  if (parent instanceof Element) parent.append(node);
  return node;
}
