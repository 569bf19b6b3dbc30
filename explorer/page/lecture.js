/**
 * Keys for lessons and lectures, the presenter mode, links of an embedded page, and the size of a
 * printed page.
 *
 * Streamlit calls the default export whenever the page is drawn; listeners are added once. The
 * presenter mode takes chrome and theme from Streamlit's own parameters for embedded pages, which
 * it reads when a page is loaded.
 */

/** What a click on a button does, by the button's key on the page. */
const CLICKS = {
  present_system: () => load("true"),
  present_light: () => load("light"),
  present_dark: () => load("dark"),
  present_end: () => load(""),
  full_screen: fillScreen,
};
/** Where arrow keys and Escape mean something else, and where letters are typed. */
const WITH_KEYS = `.linked-figure, input, textarea, select, [contenteditable], [role=slider],
  [role=radio], [role=tab], [role=combobox], [role=listbox], [role=menu], [role=dialog]`;
const FIELDS = "input, textarea, select, [contenteditable], [role=combobox]";
const { dataset } = document.documentElement;

/** @param {KeyboardEvent} event */
function keyDown(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = /** @type {Element} */ (event.target);
  const isFree = !target.closest(WITH_KEYS);
  if (isFree ? press(event.key) || type(event.key) : !target.closest(FIELDS) && type(event.key)) {
    event.preventDefault();
  }
}

/**
 * Go to another step or leave the presenter mode; return whether the key does so.
 * @param {string} key
 */
function press(key) {
  if (key === "ArrowLeft" || (dataset.present && key === "PageUp")) return click("lesson_back");
  if (key === "ArrowRight" || (dataset.present && key === "PageDown")) return click("lesson_next");
  return key === "Escape" && Boolean(dataset.present) && load("");
}

/**
 * Do what a letter means; return whether it means something.
 * @param {string} key
 */
function type(key) {
  if (key === "p") return !dataset.embedded && load(dataset.present ? "" : "true");
  return key === "f" && Boolean(dataset.present) && fillScreen();
}

/** @param {string} key of a button of the page */
function click(key) {
  const button = document.querySelector(`.st-key-${key} button`);
  if (!(button instanceof HTMLButtonElement) || button.disabled) return false;
  button.click();
  return true;
}

function fillScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => {});
  return true;
}

/**
 * Load the page in the presenter mode, or without it.
 * @param {string} mode the value of the URL's `present`; empty for none
 */
function load(mode) {
  const address = new URL(location.href);
  for (const name of ["present", "embed", "embed_options"]) address.searchParams.delete(name);
  if (mode) {
    address.searchParams.set("present", mode);
    address.searchParams.set("embed", "true");
    if (mode !== "true") address.searchParams.set("embed_options", `${mode}_theme`);
  }
  location.replace(address);
  return true;
}

/**
 * Load a page again if its address lacks what its presenter mode needs.
 * @param {string} mode
 */
function complete(mode) {
  const given = new URL(location.href).searchParams;
  const theme = mode === "true" ? null : `${mode}_theme`;
  if (given.get("embed") !== "true" || given.get("embed_options") !== theme) load(mode);
}

/** @param {MouseEvent} event */
function clicked({ target }) {
  const link = /** @type {Element} */ (target).closest('a[href]:not([href^="#"])');
  // A frame keeps its page: the linked one has all its navigation, or may not be embedded.
  if (link && dataset.embedded) link.setAttribute("target", "_blank");
  for (const [key, act] of Object.entries(CLICKS)) {
    if (/** @type {Element} */ (target).closest(`.st-key-${key} button`)) act();
  }
}

/** Make the printed page as wide as the window, so that no figure is cut. */
function sizePage() {
  const style = document.getElementById("printed-page") ?? document.createElement("style");
  style.id = "printed-page";
  const [width, height] = [innerWidth, Math.round(innerWidth / Math.SQRT2)];
  style.textContent = `@page { size: ${width}px ${height}px; margin: 40px }`;
  document.head.append(style);
}

if (!dataset.lecture) {
  dataset.lecture = "true";
  addEventListener("keydown", keyDown);
  addEventListener("click", clicked);
  addEventListener("beforeprint", sizePage);
}

/** @param {{ data: { present: string | null, embedded: boolean } }} mount */
export default function ({ data: { present, embedded } }) {
  if (embedded) dataset.embedded = "true";
  else delete dataset.embedded;
  if (present) dataset.present = present;
  else delete dataset.present;
  if (present) complete(present);
}
