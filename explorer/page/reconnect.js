/**
 * Asks for a run when the browser is connected again.
 *
 * Streamlit asks for one only at the next change. Another process, which took the connection over,
 * would take that for the first run of a new visit, and the URL, which lacks the change, would win.
 * @typedef {{ setTriggerValue: (name: string, value: unknown) => void }} Mount
 */

const STATE = "data-test-connection-state";

/** @param {Mount} mount */
export default function ({ setTriggerValue }) {
  const app = document.querySelector(`[${STATE}]`);
  let isLost = false;
  const observer = new MutationObserver(() => {
    const isConnected = app?.getAttribute(STATE) === "CONNECTED";
    if (isConnected && isLost) setTriggerValue("reconnected", true);
    isLost = !isConnected;
  });
  if (app) observer.observe(app, { attributeFilter: [STATE] });
  return () => observer.disconnect();
}
