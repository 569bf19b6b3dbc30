/**
 * Makes views and variants the entries of the browser's history.
 *
 * Streamlit adds an entry for every change of the address; here the present entry is replaced
 * unless the view or the variant is another. One action of the user adds one entry at most: a view
 * may write a variant of its own into the address, also after Back.
 */

if (!Object.hasOwn(history, "pushState")) {
  const parameters = ["view", "variant"];
  let hasActed = false;
  for (const action of ["pointerdown", "keydown"]) {
    document.addEventListener(action, () => (hasActed = true), true);
  }
  const entryOf = (/** @type {string} */ address) => {
    const { searchParams } = new URL(address, document.baseURI);
    return JSON.stringify(parameters.map((name) => searchParams.get(name)));
  };
  history.pushState = (state, title, address) => {
    const isEntry = hasActed && address && entryOf(String(address)) !== entryOf(location.href);
    if (isEntry) hasActed = false;
    const change = isEntry ? History.prototype.pushState : History.prototype.replaceState;
    change.call(history, state, title, address);
  };
}

/** Does nothing: Streamlit calls it when it has run this file. */
export default function () {}
