/**
 * Mounts a linked figure in Streamlit, which calls the default export for every message.
 *
 * Streamlit runs this file from a blob, where only absolute URLs can be imported.
 * @import { LinkedFigure } from "../linked_figure/component.js"
 * @import { Message, View } from "../linked_figure/payload.js"
 */

/**
 * @typedef {object} Mount
 * @property {Uint8Array} data
 * @property {HTMLElement} parentElement
 * @property {(name: string, value: unknown) => void} setStateValue
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

/** @typedef {{ cols: number, channels: number[] }} Gallery the channel of each cell, row by row */
/** @typedef {{ channel: string, scope: string, show: string }} Controls names of settings */

/** @type {WeakMap<HTMLElement, Promise<LinkedFigure>>} */
const figures = new WeakMap();
/** @type {Map<HTMLElement, Follower>} */
const followers = new Map();
/** @type {Set<Node>} the figures of which a cell picks a channel */
const galleries = new Set();
const decoder = new TextDecoder();
const LOAD_ERROR = "The figure's scripts could not be loaded. Reload the page to try again.";
const ASK_AGAIN = 500; // milliseconds

/** Lets a figure follow the page's controls of channel and colour scale at once. */
class Follower {
  /**
   * @param {LinkedFigure} figure
   * @param {Controls} controls
   * @param {(subject: string) => void} ask for the figure's other views
   */
  constructor(figure, controls, ask) {
    this.figure = figure;
    this.controls = controls;
    this.ask = ask;
    this.asked = ""; // for the views of this subject
    this.timer = 0;
  }

  /**
   * Return whether an event is of one of the controls.
   * @param {Event} event
   */
  isOf(event) {
    const { target } = event;
    return (
      target instanceof Element &&
      Object.values(this.controls).some((name) => target.closest(selector(name)))
    );
  }

  /**
   * Show what the controls say.
   * @param {Element?} clicked the clicked option, which Streamlit has not handled yet
   */
  follow(clicked = null) {
    const { view } = this.figure.views;
    if (!view) return;
    const chosen = (/** @type {string} */ name) => checked(name, clicked);
    const show = chosen(this.controls.show) ?? (view.channel === null ? "mean" : "channel");
    /** @type {HTMLInputElement | null} */
    const field = document.querySelector(`${selector(this.controls.channel)} input`);
    const channel = show === "mean" ? null : (field?.valueAsNumber ?? view.channel);
    this.choose({ ...view, channel, scope: chosen(this.controls.scope) ?? view.scope });
  }

  /** @param {View} view */
  choose(view) {
    const { view: shown } = this.figure.views;
    if (shown?.channel !== view.channel || shown?.scope !== view.scope) this.figure.choose(view);
  }

  /** Ask for the other views, since the reader is about to change the view. */
  prepare() {
    const { isComplete, view } = this.figure.views;
    if (isComplete || !view || this.timer) return;
    this.asked = view.subject;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      // Another change may have interrupted the run that was to answer.
      if (this.figure.views.view?.subject === this.asked) this.prepare();
    }, ASK_AGAIN);
    this.ask(view.subject);
  }
}

/**
 * Return the CSS selector of a setting's widget, whose key may end with a number.
 * @param {string} name
 */
const selector = (name) => `:is(.st-key-${name}, [class*=" st-key-${name}-"])`;

/**
 * Return the option that is clicked or chosen in a segmented control.
 * @param {string} name
 * @param {Element?} clicked
 */
function checked(name, clicked) {
  const control = selector(name);
  const found = clicked?.closest(control)
    ? clicked
    : document.querySelector(`${control} [role=radio][aria-checked=true]`);
  return found?.textContent?.trim();
}

/**
 * Return the option of a segmented control that is the target of an event, or null.
 * @param {Event} event
 */
const optionOf = ({ target }) =>
  target instanceof Element ? target.closest("[role=radio]") : null;

/** @param {KeyboardEvent} event */
const isChange = (event) => ["Enter", "ArrowUp", "ArrowDown"].includes(event.key);

/** @param {Event} event */
function onChange(event) {
  if (event instanceof KeyboardEvent && !isChange(event)) return;
  for (const each of followers.values()) {
    if (!each.isOf(event)) continue;
    const option = event.type === "click" ? optionOf(event) : null;
    // A clicked option and a typed number are known at once, so the figure is drawn in the same
    // frame as the control. Other changes are known after Streamlit's own listeners have run.
    each.follow(option);
    if (!option) setTimeout(() => each.follow());
  }
}

/** @param {Event} event */
function onApproach(event) {
  const target = /** @type {Node} */ (event.target);
  const isInGallery = [...galleries].some((each) => each.contains(target));
  for (const each of followers.values()) {
    const isOf =
      event instanceof KeyboardEvent && event.key.startsWith("Page")
        ? target === each.figure.root
        : isInGallery || each.isOf(event);
    if (isOf) each.prepare();
  }
}

/**
 * Let the figures show the channel that a gallery's cell picks.
 * @param {Gallery} gallery
 * @param {string} pixel as a figure reports it
 */
function pick({ cols, channels }, pixel) {
  const [, row, col] = pixel.split(",").map(Number);
  const channel = channels[row * cols + col];
  if (channel === undefined) return;
  for (const { figure } of followers.values()) {
    const { view } = figure.views;
    if (view && view.channel !== null) figure.choose({ ...view, channel });
  }
}

for (const kind of ["click", "keydown", "focusout"]) {
  document.addEventListener(kind, onChange, { capture: true });
}
for (const kind of ["pointerover", "focusin", "click", "keydown"]) {
  document.addEventListener(kind, onApproach, { capture: true });
}

/** @param {Mount} mount */
export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  /** @type {Message & { module: string, controls: Controls?, gallery: Gallery? }} */
  const message = JSON.parse(decoder.decode(data));
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".linked-figure"));
  let figure = figures.get(parentElement);
  if (!figure) {
    figure = import(new URL(message.module, document.baseURI).href).then((module) => {
      root.replaceChildren();
      return new module.LinkedFigure(root);
    });
    figures.set(parentElement, figure);
  }
  figure.then(
    (each) => {
      const { controls } = message;
      if (controls) {
        const ask = (/** @type {string} */ subject) => setTriggerValue("views", subject);
        const follower = followers.get(parentElement) ?? new Follower(each, controls, ask);
        followers.set(parentElement, Object.assign(follower, { controls, ask }));
      } else {
        followers.delete(parentElement);
      }
      const { gallery } = message;
      if (gallery) galleries.add(parentElement);
      each.show(message, {
        state: setStateValue,
        trigger: (name, value) => {
          if (gallery && name === "pick") pick(gallery, String(value));
          setTriggerValue(name, value);
        },
      });
    },
    () => {
      figures.delete(parentElement); // so that the next message tries again
      root.textContent = LOAD_ERROR;
    },
  );
  return () => {
    if (parentElement.isConnected) return;
    figures.delete(parentElement);
    followers.delete(parentElement);
    galleries.delete(parentElement);
    figure.then(
      (each) => each.remove(),
      () => {},
    );
  };
}
