/**
 * Asks for a run when the browser is connected again.
 *
 * Streamlit asks for one only at the next change. Another process, which took the connection over,
 * would take that for the first run of a new visit, and the URL, which lacks the change, would win.
 * @typedef {{ setTriggerValue: (name: string, value: unknown) => void }} Mount
 */

let ask = () => {};
const app = document.querySelector("[data-test-connection-state]");
if (app) {
  let isLost = false;
  const look = () => {
    const isConnected = app.getAttribute("data-test-connection-state") === "CONNECTED";
    if (isConnected && isLost) ask();
    isLost = !isConnected;
  };
  new MutationObserver(look).observe(app, { attributeFilter: ["data-test-connection-state"] });
}

/** @param {Mount} mount */
export default function ({ setTriggerValue }) {
  ask = () => setTriggerValue("reconnected", true);
}
