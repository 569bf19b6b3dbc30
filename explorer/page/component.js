/**
 * Mounts a linked figure in Streamlit, which calls the default export for every message.
 *
 * Streamlit runs this file from a blob, where only absolute URLs can be imported.
 * @import { LinkedFigure } from "../linked_figure/component.js"
 * @import { Message } from "../linked_figure/payload.js"
 */

/**
 * @typedef {object} Mount
 * @property {Uint8Array} data
 * @property {HTMLElement} parentElement
 * @property {(name: string, value: unknown) => void} setStateValue
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

/** @type {WeakMap<HTMLElement, Promise<LinkedFigure>>} */
const figures = new WeakMap();
const decoder = new TextDecoder();
const LOAD_ERROR = "The figure's scripts could not be loaded. Reload the page to try again.";

/** @param {Mount} mount */
export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  /** @type {Message & { module: string }} */
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
    (each) => each.show(message, { state: setStateValue, trigger: setTriggerValue }),
    () => {
      figures.delete(parentElement); // so that the next message tries again
      root.textContent = LOAD_ERROR;
    },
  );
  return () => {
    if (parentElement.isConnected) return;
    figures.delete(parentElement);
    figure.then(
      (each) => each.remove(),
      () => {},
    );
  };
}
