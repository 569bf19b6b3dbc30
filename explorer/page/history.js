/**
 * Makes views, variants and steps of lessons the entries of the browser's history.
 *
 * Streamlit adds an entry for every change of the address; here the present entry is replaced
 * unless the view, the variant or the step is another, and the user has done something since the
 * last entry: a view may write a variant of its own into the address, also after Back. Another view
 * is shown from its top, like a page that a link leads to.
 */

if (!Object.hasOwn(history, "pushState")) {
  const parameters = ["view", "variant", "lesson", "step"];
  let hasActed = false;
  const act = () => (hasActed = true);
  for (const kind of ["pointerdown", "keydown", "click"]) addEventListener(kind, act, true);
  addEventListener("popstate", () => (hasActed = false), true);
  const entryOf = (/** @type {string} */ address) => {
    const { searchParams } = new URL(address, document.baseURI);
    return JSON.stringify(parameters.map((name) => searchParams.get(name)));
  };
  const viewOf = (/** @type {string} */ address) =>
    new URL(address, document.baseURI).searchParams.get("view");
  history.pushState = (state, title, address) => {
    const isEntry = hasActed && address && entryOf(String(address)) !== entryOf(location.href);
    const change = isEntry ? History.prototype.pushState : History.prototype.replaceState;
    if (isEntry) {
      hasActed = false;
      if (viewOf(String(address)) !== viewOf(location.href)) {
        document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
      }
    }
    change.call(history, state, title, address);
  };
}

/** Does nothing: Streamlit calls it when it has run this file. */
export default function () {}
