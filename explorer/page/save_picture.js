/**
 * Saves the first figure of the page as a picture.
 *
 * Streamlit runs this file from a blob, where only absolute URLs can be imported.
 */

const FAILED = "The picture could not be made. Save it in another format, or smaller.";

/**
 * @typedef {object} Settings
 * @property {string} name of the file
 * @property {string} title
 * @property {string} component URL of the module of the figure
 * @property {string} picture URL of the module that makes pictures
 */

/** @type {WeakMap<HTMLElement, Settings>} the present settings */
const settings = new WeakMap();

/** @type {(string | boolean)[]} states of the form's fields */
let chosen = [];

/** @param {{ data: Settings, parentElement: HTMLElement }} mount */
export default function ({ data, parentElement }) {
  const form = /** @type {HTMLFormElement} */ (parentElement.querySelector("form"));
  const isNew = !settings.has(form);
  settings.set(form, data);
  if (!isNew) return;
  restore(form);
  form.addEventListener("change", () => {
    chosen = [...form.elements].map(stateOf);
  });
  const said = /** @type {HTMLElement} */ (form.querySelector("[role=status]"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.textContent = "";
    try {
      await save(form, /** @type {Settings} */ (settings.get(form)));
    } catch {
      said.textContent = FAILED;
    }
  });
}

/** @param {Element} field */
const stateOf = (field) => {
  if (field instanceof HTMLSelectElement) return field.value;
  return field instanceof HTMLInputElement && field.checked;
};

/**
 * Set the fields as the user has left them when the form was closed.
 * @param {HTMLFormElement} form
 */
function restore(form) {
  for (const [index, state] of chosen.entries()) {
    const field = form.elements[index];
    if (field instanceof HTMLSelectElement) field.value = String(state);
    else if (field instanceof HTMLInputElement) field.checked = Boolean(state);
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {Settings} settings
 */
async function save(form, { name, title, component, picture }) {
  const [{ figureOf }, { svgOf, pngOf }] = await Promise.all(
    [component, picture].map((url) => import(new URL(url, document.baseURI).href)),
  );
  const root = /** @type {HTMLElement} */ (document.querySelector(".linked-figure"));
  const isChosen = (/** @type {string} */ box) =>
    /** @type {HTMLInputElement} */ (form.elements.namedItem(box)).checked;
  const colour = getComputedStyle(root).getPropertyValue("--st-background-color");
  const svg = await svgOf(figureOf(root), {
    title: isChosen("title") ? title : "",
    background: isChosen("transparent") ? "" : colour,
  });
  const format = /** @type {HTMLSelectElement} */ (form.querySelector("select")).value;
  const isVector = format === "svg";
  const content = isVector ? new Blob([svg], { type: "image/svg+xml" }) : pngOf(svg, +format);
  download(await content, `${name}.${isVector ? "svg" : "png"}`);
}

/**
 * @param {Blob} content
 * @param {string} name
 */
function download(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may still read it
}
