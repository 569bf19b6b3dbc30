/**
 * Draws marks over a figure: crosshair, cells, receptive fields, values and a box.
 * @import { Cell, Panel, Point } from "./geometry.js"
 * @import { Value } from "./payload.js"
 */

import { formatValue } from "./format.js";

const VALUE_SIZE = 11; // CSS pixels
const CELLS_OPACITY = 0.7;
const CROSSHAIR_OPACITY = 0.35;
// Of a crosshair that is seen from afar: neither a colour of the scale nor of a path.
const POINTER_COLOUR = "#ff00c8";
const POINTER_OPACITY = 0.8;

/**
 * @typedef {Pick<CanvasRenderingContext2D, "lineWidth" | "globalAlpha" | "font" | "textAlign" |
 *   "beginPath" | "moveTo" | "lineTo" | "arc" | "stroke" | "fill" | "strokeRect" | "fillRect" |
 *   "fillText" | "strokeText" | "clearRect"> & { strokeStyle: unknown, fillStyle: unknown,
 *   drawImage: (image: HTMLCanvasElement, ...at: [number, number, number, number]) => void }} Pen
 */

/** A canvas over the figure, as large as the figure. */
export class Overlay {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** @type {Pen} */
    this.pen = pen(canvas);
    this.size = { width: 0, height: 0 };
    this.accent = "";
    this.scale = 1;
    this.ink = "";
    this.paper = "";
    /** CSS pixels of a crosshair that is seen from afar; 0 for the usual one. */
    this.pointer = 0;
    /** @type {HTMLCanvasElement | null} */
    this.cells = null;
  }

  /**
   * Take the size of the figure and the colour of the marks.
   * @param {{ width: number, height: number }} size CSS pixels
   * @param {string} accent
   * @param {number} scale how many times as large as usual texts are
   */
  fit(size, accent, scale) {
    this.size = size;
    this.scale = scale;
    this.accent = accent;
    fitCanvas(this.canvas, size);
    Object.assign(this.canvas.style, { width: `${size.width}px`, height: `${size.height}px` });
  }

  /**
   * Prepare the cells to be marked in every panel: drawn once, and copied at each change.
   * @param {Panel[]} panels
   * @param {[number, number][]} cells rows and columns
   */
  setCells(panels, cells) {
    this.cells = null;
    if (!cells.length) return;
    this.cells = document.createElement("canvas");
    fitCanvas(this.cells, this.size);
    const context = pen(this.cells);
    context.fillStyle = this.accent;
    context.globalAlpha = CELLS_OPACITY;
    for (const panel of panels) {
      for (const [row, col] of cells) {
        const [x, y, w, h] = panel.rectangle({ top: row, bottom: row, left: col, right: col });
        if (w > 0 && h > 0) context.fillRect(x, y, Math.max(w, 1), Math.max(h, 1));
      }
    }
  }

  /** Remove all marks but the cells, and take the page's present styles. */
  clear() {
    const { width, height } = this.size;
    const style = getComputedStyle(this.canvas);
    this.ink = style.color;
    this.paper = style.getPropertyValue("--st-background-color");
    this.pointer = parseFloat(style.getPropertyValue("--linked-figure-pointer")) || 0;
    this.pen.clearRect(0, 0, width, height);
    if (this.cells) this.pen.drawImage(this.cells, 0, 0, width, height);
  }

  /**
   * Mark a pixel in a panel with crosshair, cell and value, and the window that fed it.
   * @param {Panel} panel
   * @param {Cell} pixel
   * @param {{ value: Value | undefined, source: Panel, field: [number, number] | undefined,
   *   hasText: boolean }} marks `source` is the panel that the pixel was chosen in, `field` how far
   *   the window extends before and after the pixel
   */
  markPixel(panel, pixel, { value, source, field, hasText }) {
    const { frame } = panel;
    const [x, y, width, height] = panel.cell(pixel);
    this.line(this.pointer || 1, this.pointer ? POINTER_COLOUR : this.ink);
    this.pen.globalAlpha = this.pointer ? POINTER_OPACITY : CROSSHAIR_OPACITY;
    this.pen.beginPath();
    this.pen.moveTo(frame.left, y + height / 2);
    this.pen.lineTo(frame.right, y + height / 2);
    this.pen.moveTo(x + width / 2, frame.top);
    this.pen.lineTo(x + width / 2, frame.bottom);
    this.pen.stroke();
    this.pen.globalAlpha = 1;
    if (this.pointer) this.dot(x + width / 2, y + height / 2);
    if (field?.some(Boolean)) {
      this.line(2, this.accent);
      this.pen.strokeRect(...panel.fieldOf(pixel, source, field));
    }
    if (value === undefined) return;
    this.line(panel === source ? 2.5 : 1.5, this.ink);
    this.pen.strokeRect(x - 1, y - 1, width + 2, height + 2);
    if (!hasText) return;
    this.pen.font = `600 ${VALUE_SIZE * this.scale}px ${getComputedStyle(this.canvas).fontFamily}`;
    this.pen.textAlign = "right";
    this.pen.fillStyle = this.ink;
    const place = /** @type {const} */ ([frame.right, frame.top - 5 * this.scale]);
    this.line(4 * this.scale, this.paper); // a wire may pass there
    this.pen.strokeText(formatValue(value), ...place);
    this.pen.fillText(formatValue(value), ...place);
  }

  /**
   * Mark a place as a laser pointer does.
   * @param {number} x
   * @param {number} y
   */
  dot(x, y) {
    this.line(this.pointer, "white");
    this.pen.fillStyle = POINTER_COLOUR;
    this.pen.beginPath();
    this.pen.arc(x, y, 3 * this.pointer, 0, 2 * Math.PI);
    this.pen.fill();
    this.pen.stroke();
  }

  /**
   * Mark the pinned pixel while the cursor is elsewhere.
   * @param {Panel} panel
   * @param {Cell} pixel
   */
  markPin(panel, pixel) {
    const [x, y, width, height] = panel.cell(pixel);
    this.line(2, this.ink);
    this.pen.strokeRect(x - 2, y - 2, width + 4, height + 4);
  }

  /**
   * Draw a box between two points.
   * @param {Point} from
   * @param {Point} to
   */
  drawBox(from, to) {
    this.line(2, this.accent);
    this.pen.strokeRect(from.x, from.y, to.x - from.x, to.y - from.y);
  }

  /**
   * @param {number} width
   * @param {string} colour
   */
  line(width, colour) {
    this.pen.lineWidth = width;
    this.pen.strokeStyle = colour;
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
function pen(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * Give a canvas a size in CSS pixels, sharp on every screen.
 * @param {HTMLCanvasElement} canvas
 * @param {{ width: number, height: number }} size
 */
function fitCanvas(canvas, { width, height }) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  pen(canvas).setTransform(ratio, 0, 0, ratio, 0, 0);
}
