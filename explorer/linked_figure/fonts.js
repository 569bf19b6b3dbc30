/** Reads the fonts of the page, so that a picture can carry them. */

/**
 * Return the rules of the page's upright fonts of these families, with the fonts in them.
 * @param {string} families as CSS has them
 */
export async function fontRules(families) {
  const rules = [...document.styleSheets].flatMap(fontFacesOf);
  const wanted = rules.filter(
    ({ style }) => style.fontStyle !== "italic" && families.includes(unquoted(style.fontFamily)),
  );
  return (await Promise.all(wanted.map(embedded))).join("\n");
}

/**
 * @param {CSSStyleSheet} sheet
 * @returns {CSSFontFaceRule[]}
 */
function fontFacesOf(sheet) {
  try {
    return [...sheet.cssRules].filter((rule) => rule instanceof CSSFontFaceRule);
  } catch {
    return []; // the sheet of another site
  }
}

/** @param {CSSFontFaceRule} rule */
async function embedded({ style, parentStyleSheet }) {
  const [, address = ""] = /url\("?([^")]+)/.exec(style.getPropertyValue("src")) ?? [];
  const response = await fetch(new URL(address, parentStyleSheet?.href ?? document.baseURI));
  const reader = new FileReader();
  const read = new Promise((end) => (reader.onload = end));
  reader.readAsDataURL(await response.blob());
  await read;
  const { fontFamily, fontWeight } = style;
  return `@font-face{font-family:${fontFamily};font-weight:${fontWeight};src:url(${reader.result})}`;
}

const unquoted = (/** @type {string} */ family) => family.replaceAll('"', "");
