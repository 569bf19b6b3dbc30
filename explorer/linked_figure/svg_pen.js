/** Draws marks as SVG elements, with the part of a canvas's interface that overlay.js uses. */

const SVG = "http://www.w3.org/2000/svg";

export class SvgPen {
  /** @param {Element} parent an SVG element, which receives the marks */
  constructor(parent) {
    this.parent = parent;
    this.lineWidth = 1;
    this.strokeStyle = "";
    this.fillStyle = "";
    this.globalAlpha = 1;
    this.font = "";
    /** @type {CanvasTextAlign} */
    this.textAlign = "left";
    this.path = "";
  }

  clearRect() {
    this.parent.replaceChildren();
  }

  /**
   * @param {HTMLCanvasElement} image
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  drawImage(image, x, y, width, height) {
    this.add("image", { href: image.toDataURL(), x, y, width, height });
  }

  beginPath() {
    this.path = "";
  }

  /** @param {number} x @param {number} y */
  moveTo(x, y) {
    this.path += `M${x},${y}`;
  }

  /** @param {number} x @param {number} y */
  lineTo(x, y) {
    this.path += `L${x},${y}`;
  }

  /**
   * Add a whole circle; no mark has an arc of another kind.
   * @param {number} x @param {number} y @param {number} radius
   */
  arc(x, y, radius) {
    const half = `a${radius},${radius} 0 1 0`;
    this.path += `M${x - radius},${y}${half} ${2 * radius},0${half} ${-2 * radius},0`;
  }

  stroke() {
    this.add("path", { d: this.path, fill: "none", ...this.line() });
  }

  fill() {
    this.add("path", { d: this.path, fill: this.fillStyle, opacity: this.globalAlpha });
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  strokeRect(x, y, width, height) {
    this.add("rect", { x, y, width, height, fill: "none", ...this.line() });
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  fillRect(x, y, width, height) {
    this.add("rect", { x, y, width, height, fill: this.fillStyle, opacity: this.globalAlpha });
  }

  /** @param {string} text @param {number} x @param {number} y */
  fillText(text, x, y) {
    this.write(text, x, y, { fill: this.fillStyle });
  }

  /** @param {string} text @param {number} x @param {number} y */
  strokeText(text, x, y) {
    this.write(text, x, y, { fill: "none", "stroke-linejoin": "round", ...this.line() });
  }

  line() {
    return {
      stroke: this.strokeStyle,
      "stroke-width": this.lineWidth,
      opacity: this.globalAlpha,
    };
  }

  /**
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {Record<string, string | number>} attributes
   */
  write(text, x, y, attributes) {
    const anchor = this.textAlign === "right" ? "end" : "start";
    const style = `font: ${this.font}`;
    const node = this.add("text", { x, y, "text-anchor": anchor, style, ...attributes });
    node.textContent = text;
  }

  /**
   * @param {string} tag
   * @param {Record<string, string | number>} attributes
   */
  add(tag, attributes) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
    this.parent.append(node);
    return node;
  }
}
