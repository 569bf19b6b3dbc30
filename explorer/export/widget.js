/**
 * Shows the figure of a notebook widget, whose model is `StageWidget` in stage_widget.py.
 *
 * The model has the pin and the channel, plotly.js compressed, and the messages of the channel,
 * one for each theme.
 * @import { Pixel } from "../linked_figure/payload.js"
 */

import { LinkedFigure } from "../linked_figure/component.js";
import { isDark } from "../linked_figure/layout.js";
import { clamp } from "../linked_figure/geometry.js";
import { addChild } from "../linked_figure/pixel_card.js";
import { plotlyUrl, readMessages } from "./packed.js";

const LOAD_ERROR = "This browser cannot unpack the figure. A browser of 2023 or later can.";
const SHOWN = ["change:_messages", "change:pin"];

/**
 * @typedef {object} Model of anywidget
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(name: string, callback: () => void) => void} on
 * @property {(name: string, callback: () => void) => void} off
 */

/** @type {Promise<string> | undefined} plotly.js, unpacked once for all views */
let plotly;

/**
 * Show the figure in an element; return what ends it.
 * @param {{ model: Model, el: HTMLElement }} host
 */
function render({ model, el }) {
  const place = addChild(el, "div", "linked-figure-widget");
  // JupyterLab would take the arrow keys for itself.
  place.dataset.lmSuppressShortcuts = "true";
  const page = addChild(place, "div", "linked-figure-widget-page");
  const field = model.get("_last_channel") > 0 ? channelField(page, model) : null;
  const figure = new LinkedFigure(addChild(page, "div", "linked-figure"));
  let reported = pinText(model.get("pin"));
  let theme = "";

  /**
   * @param {string} name
   * @param {unknown} value
   */
  const save = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const host = {
    /**
     * @param {string} name
     * @param {unknown} value
     */
    state(name, value) {
      if (name === "window") save("_window", value);
      if (name !== "pin") return;
      reported = String(value);
      const [panel, row, col] = reported.split(",");
      save("pin", panel ? [panel, Number(row), Number(col)] : null);
    },
    /**
     * @param {string} name
     * @param {unknown} value
     */
    trigger(name, value) {
      if (name !== "step") return;
      const channel = model.get("channel") + Number(value);
      save("channel", clamp(channel, 0, model.get("_last_channel")));
    },
  };

  /** Show the model in the theme of the notebook, which its text's colour tells. */
  const show = async () => {
    theme = isDark(getComputedStyle(place).color) ? "light" : "dark";
    page.dataset.theme = theme;
    if (field) field.valueAsNumber = model.get("channel");
    plotly ??= plotlyUrl(model.get("_plotly"));
    const url = await plotly;
    const [message] = readMessages(model.get("_messages"))[theme === "dark" ? "dark" : "light"];
    const { link } = message;
    if (link?.mode !== "pin") return;
    const pin = pixelOf(model.get("pin"));
    const exact = samePixel(pin, link.pin) ? link.exact : null;
    const shown = { ...link, pin, exact, acked_pin: reported };
    await figure.show({ ...message, link: shown, plotly: url }, host);
  };
  const update = () => void show().catch(() => figure.fail(LOAD_ERROR));
  const watch = () => {
    const now = isDark(getComputedStyle(place).color) ? "light" : "dark";
    if (now !== theme) update();
  };

  for (const name of SHOWN) model.on(name, update);
  // Whatever changes the notebook's theme changes the colour that its outputs inherit.
  // JupyterLab cancels transitions while it does so.
  for (const name of ["transitionend", "transitioncancel"]) place.addEventListener(name, watch);
  const observer = new ResizeObserver(watch); // it may have changed while this was hidden
  observer.observe(place);
  update();
  return () => {
    for (const name of SHOWN) model.off(name, update);
    observer.disconnect();
    figure.remove();
  };
}

/**
 * Add the field of the channel.
 * @param {HTMLElement} page
 * @param {Model} model
 */
function channelField(page, model) {
  const label = addChild(page, "label", "");
  label.textContent = "Channel ";
  const field = /** @type {HTMLInputElement} */ (addChild(label, "input", ""));
  const last = model.get("_last_channel");
  Object.assign(field, { type: "number", min: "0", max: String(last), autocomplete: "off" });
  field.addEventListener("input", () => {
    if (!field.validity.valid || field.value === "") return;
    model.set("channel", field.valueAsNumber);
    model.save_changes();
  });
  return field;
}

/**
 * @param {[string, number, number] | null} pin as the model has it
 * @returns {Pixel | null}
 */
const pixelOf = (pin) => (pin ? { panel: pin[0], row: pin[1], col: pin[2] } : null);

/** @param {[string, number, number] | null} pin */
const pinText = (pin) => pin?.join() ?? "";

/**
 * @param {Pixel | null} a
 * @param {Pixel | null} b
 */
const samePixel = (a, b) => a?.panel === b?.panel && a?.row === b?.row && a?.col === b?.col;

export default { render };
