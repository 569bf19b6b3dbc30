/**
 * The part of linked panels in view. Every change keeps the ratio of its sides, so that cells
 * keep their shape.
 * @import { Panel, Point } from "./geometry.js"
 */

import { clamp } from "./geometry.js";

const MIN_CELLS = 1; // along the shorter side of a view

/** @typedef {{ x: [number, number], y: [number, number] }} View ranges; y from bottom to top */

/**
 * Return the view of all pixels.
 * @param {number} rows
 * @param {number} cols
 * @returns {View}
 */
export const whole = (rows, cols) => ({ x: [-0.5, cols - 0.5], y: [rows - 0.5, -0.5] });

/**
 * Return the box between two points that has the proportions of a frame, within it.
 * @param {{ left: number, top: number, right: number, bottom: number }} frame
 * @param {Point} from
 * @param {Point} to
 */
export function boxInFrame({ left, top, right, bottom }, from, to) {
  const [width, height] = [right - left, bottom - top];
  const [across, down] = [to.x - from.x, to.y - from.y];
  const share = Math.min(1, Math.max(Math.abs(across) / width, Math.abs(down) / height));
  const [w, h] = [share * width, share * height];
  const x = clamp(across < 0 ? from.x - w : from.x, left, right - w);
  const y = clamp(down < 0 ? from.y - h : from.y, top, bottom - h);
  return { left: x, top: y, right: x + w, bottom: y + h, share };
}

/**
 * Return a view scaled by a factor, with a point of the axes at a place on the panel; null for
 * the view of all pixels.
 * @param {View} view
 * @param {Panel} panel
 * @param {{ point: Point, place: Point, factor: number }} change `place` in the figure
 * @returns {View | null}
 */
export function changedView(view, panel, { point, place, factor }) {
  const { frame, rows, cols } = panel;
  const [width, height] = [view.x[1] - view.x[0], view.y[0] - view.y[1]];
  const least = Math.min(1, MIN_CELLS / Math.min(width, height));
  const scale = clamp(1 / factor, least, cols / width);
  if (scale > 0.999 * (cols / width)) return null;
  const [w, h] = [width * scale, height * scale];
  const across = (place.x - frame.left) / (frame.right - frame.left);
  const down = (place.y - frame.top) / (frame.bottom - frame.top);
  const left = clamp(point.x - across * w, -0.5, cols - 0.5 - w);
  const top = clamp(point.y - down * h, -0.5, rows - 0.5 - h);
  return { x: [left, left + w], y: [top + h, top] };
}

/**
 * Return the range of an axis, as an array of its own.
 * @param {string} axis such as "xaxis2"
 * @param {View} view
 */
export const rangeOf = (axis, view) => [...(axis.startsWith("x") ? view.x : view.y)];

/**
 * Return the ranges of axes as Plotly's relayout takes them; it knows no number 1.
 * @param {string[]} axes
 * @param {View} view
 */
export function rangesOf(axes, view) {
  return Object.fromEntries(
    axes.map((axis) => [`${axis.replace(/axis1$/, "axis")}.range`, rangeOf(axis, view)]),
  );
}
