/** Puts a link to the figure before everything else that the keyboard reaches on the page. */

if (!document.querySelector(".skip-link")) {
  const link = document.createElement("a");
  link.className = "skip-link";
  link.href = "#root"; // where the page has no figure
  link.textContent = "Skip to the figure";
  link.addEventListener("click", (event) => {
    const figure = /** @type {HTMLElement | null} */ (document.querySelector(".linked-figure"));
    if (!figure) return;
    event.preventDefault();
    figure.focus();
  });
  document.body.prepend(link);
}

/** Does nothing: Streamlit calls it when it has run this file. */
export default function () {}
