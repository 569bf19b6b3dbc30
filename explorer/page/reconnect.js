/**
 * Asks for a run when the browser is connected again.
 *
 * Streamlit asks for one only at the next change. Another process, which took the connection over,
 * would take that for the first run of a new visit, and the URL, which lacks the change, would win.
 * @typedef {{ setTriggerValue: (name: string, value: unknown) => void }} Mount
 */

const STATE = "data-test-connection-state";
let isLost = false;
let stop = () => {};

/** @param {Mount} mount */
export default function ({ setTriggerValue }) {
  stop();
  const app = document.querySelector(`[${STATE}]`);
  const observer = new MutationObserver(() => {
    const isConnected = app?.getAttribute(STATE) === "CONNECTED";
    if (isConnected && isLost) setTriggerValue("reconnected", true);
    isLost = !isConnected;
  });
  if (app) observer.observe(app, { attributeFilter: [STATE] });
  stop = () => observer.disconnect();
  return stop;
}
