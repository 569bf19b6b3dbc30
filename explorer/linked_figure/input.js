/**
 * Turns the events of mouse, touch and keyboard into actions on a figure.
 * @import { Point } from "./geometry.js"
 */

const CLICK_SLACK = { mouse: 4, touch: 12 }; // CSS pixels that may lie between press and release
const DOUBLE_CLICK = 300; // milliseconds, the same as Plotly's
/** @type {Record<string, [down: number, right: number]>} */
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * @typedef {object} Actions
 * @property {(point: Point | null) => void} hover the pointer is here, or has left
 * @property {(point: Point) => boolean} press whether a click or a drag may begin here
 * @property {(from: Point, to: Point) => void} drag
 * @property {(from: Point, to: Point) => void} drop
 * @property {(point: Point) => boolean} hold whether a pinch or a pan may begin here
 * @property {(place: Point, factor: number) => void} zoom since `hold`, to this place
 * @property {(point: Point, isDouble: boolean) => void} click
 * @property {(down: number, right: number, isPanel: boolean) => void} move
 * @property {() => void} pinCursor
 * @property {() => void} unpin
 * @property {(by: number) => void} step
 * @property {() => boolean} dragsWithOneFinger
 * @property {() => boolean} takesKeys
 * @property {() => void} focus the keyboard's focus has come or gone
 */

/** The listeners of one figure. */
export class Input {
  /**
   * @param {HTMLElement} root takes the keys
   * @param {HTMLElement} plot takes the pointer
   * @param {Actions} actions
   */
  constructor(root, plot, actions) {
    this.root = root;
    this.plot = plot;
    this.actions = actions;
    /** @type {Point | null} */
    this.pressed = null;
    this.isPanning = false;
    /** @type {number | null} CSS pixels between two fingers when they were put down */
    this.spread = null;
    /** @type {{ time: number, point: Point } | null} */
    this.lastClick = null;
    this.onRelease = (/** @type {PointerEvent} */ event) => this.release(event);
    this.onCancel = () => this.cancel();
    // Before Plotly, which stops some of these events.
    plot.addEventListener("pointermove", (event) => this.pointerMove(event), true);
    plot.addEventListener("pointerleave", () => actions.hover(null));
    plot.addEventListener("pointerdown", (event) => this.press(event), true);
    plot.addEventListener("mousedown", (event) => this.mouseDown(event), true);
    window.addEventListener("pointerup", this.onRelease, true);
    window.addEventListener("pointercancel", this.onCancel, true);
    // Plotly would take a swipe for a drag, and the page could not be scrolled.
    const options = { capture: true, passive: false };
    plot.addEventListener("touchstart", (event) => this.touchStart(event), options);
    plot.addEventListener("touchmove", (event) => this.touchMove(event), options);
    plot.addEventListener("touchend", () => (this.spread = null), true);
    plot.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    root.addEventListener("keydown", (event) => this.keyDown(event));
    root.addEventListener("focus", actions.focus);
    root.addEventListener("blur", actions.focus);
  }

  /** Remove the listeners that are not on the figure's own nodes. */
  remove() {
    window.removeEventListener("pointerup", this.onRelease, true);
    window.removeEventListener("pointercancel", this.onCancel, true);
  }

  /**
   * @param {{ clientX: number, clientY: number }} event
   * @returns {Point}
   */
  pointOf(event) {
    const box = this.plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  pointerMove(/** @type {PointerEvent} */ event) {
    const point = this.pointOf(event);
    this.actions.hover(point);
    if (!this.pressed || this.isSwipe(event)) return;
    if (this.isPanning) this.actions.zoom(point, 1);
    else this.actions.drag(this.pressed, point);
  }

  /**
   * Return whether a finger moves where dragging is for zooming, which takes two fingers.
   * @param {PointerEvent} event
   */
  isSwipe(event) {
    return event.pointerType === "touch" && !this.actions.dragsWithOneFinger();
  }

  press(/** @type {PointerEvent} */ event) {
    const point = this.pointOf(event);
    if (event.button !== 0 || !event.isPrimary || !this.actions.press(point)) return;
    this.pressed = point;
    if (event.pointerType === "mouse") this.plot.setPointerCapture(event.pointerId);
    this.isPanning = event.shiftKey && this.actions.hold(point);
  }

  /** Plotly would cover the page while the mouse drags, and take its moves. */
  mouseDown(/** @type {MouseEvent} */ event) {
    if (!this.pressed) return;
    event.stopPropagation();
    event.preventDefault(); // no selection of text
  }

  /** The browser scrolls the page, or a second finger has come. */
  cancel() {
    this.pressed = null;
    this.actions.hover(null);
  }

  touchStart(/** @type {TouchEvent} */ event) {
    event.stopPropagation();
    const fingers = this.fingers(event);
    if (!fingers) return;
    this.cancel();
    if (!this.actions.hold(fingers.middle)) return;
    this.spread = fingers.spread;
    event.preventDefault();
  }

  touchMove(/** @type {TouchEvent} */ event) {
    event.stopPropagation();
    const fingers = this.fingers(event);
    if (!fingers || this.spread === null) return;
    event.preventDefault();
    this.actions.zoom(fingers.middle, fingers.spread / this.spread);
  }

  /**
   * Return where two fingers are; null for another number of fingers.
   * @param {TouchEvent} event
   */
  fingers({ touches }) {
    if (touches.length !== 2) return null;
    const [a, b] = [this.pointOf(touches[0]), this.pointOf(touches[1])];
    return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, spread: distance(a, b) || 1 };
  }

  /** A pinch on a touchpad; browsers report it as the wheel with Ctrl. */
  wheel(/** @type {WheelEvent} */ event) {
    const place = this.pointOf(event);
    if (!event.ctrlKey || !this.actions.hold(place)) return;
    event.preventDefault();
    this.actions.zoom(place, Math.exp(-event.deltaY / 100));
  }

  release(/** @type {PointerEvent} */ event) {
    const { pressed } = this;
    this.pressed = null;
    if (!pressed || !event.isPrimary) return;
    const point = this.pointOf(event);
    const slack = event.pointerType === "touch" ? CLICK_SLACK.touch : CLICK_SLACK.mouse;
    if (distance(point, pressed) > slack) {
      if (!this.isPanning && !this.isSwipe(event)) this.actions.drop(pressed, point);
      return;
    }
    const time = performance.now();
    const last = this.lastClick;
    const isDouble =
      last !== null && time - last.time < DOUBLE_CLICK && distance(last.point, point) <= slack;
    this.lastClick = { time, point };
    this.root.focus({ preventScroll: true });
    this.actions.click(point, isDouble);
  }

  keyDown(/** @type {KeyboardEvent} */ event) {
    if (event.target !== this.root) return; // a button in the figure
    if (event.ctrlKey || event.metaKey || event.altKey || !this.actions.takesKeys()) return;
    const { key } = event;
    const arrow = ARROWS[key];
    if (arrow) this.actions.move(arrow[0], arrow[1], event.shiftKey);
    else if (key === "Enter" || key === " ") this.actions.pinCursor();
    else if (key === "Escape") this.actions.unpin();
    else if (key === "PageUp" || key === "PageDown") this.actions.step(key === "PageUp" ? -1 : 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/**
 * @param {Point} a
 * @param {Point} b
 */
const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
