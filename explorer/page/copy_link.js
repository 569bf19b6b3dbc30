/** A button that copies the address of the page. */

const [LABEL, DONE] = ["Copy link", "Copied"];
const SHOWN_FOR = 3000; // milliseconds

/** @param {{ parentElement: HTMLElement }} mount */
export default function ({ parentElement }) {
  if (parentElement.querySelector("button")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-live", "polite");
  button.textContent = LABEL;
  button.addEventListener("click", async () => {
    if (await copy(location.href)) {
      button.textContent = DONE;
      setTimeout(() => (button.textContent = LABEL), SHOWN_FOR);
    } else {
      prompt("Copy this link:", location.href);
    }
  });
  parentElement.append(button);
}

/**
 * Copy a text; return whether that was possible: a page without https has no clipboard.
 * @param {string} text
 */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
