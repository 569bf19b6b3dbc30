/**
 * Writes values as text.
 * @import { Value } from "./payload.js"
 */

/**
 * Return a value as text, with a minus sign and about four digits.
 * @param {Value} value
 */
export function formatValue(value) {
  if (value === null) return "not finite";
  if (!Number.isFinite(value)) return String(value);
  const isPlain = value === 0 || (Math.abs(value) < 1e5 && Math.abs(value) >= 1e-3);
  return (isPlain ? value.toFixed(3) : value.toExponential(2)).replaceAll("-", "−");
}

/**
 * Return whether printed numbers add up exactly to a printed total, as `adds_up` in
 * figures/printed.py does; true where one of them is no number.
 * @param {string[]} terms
 * @param {string} total
 */
export function addsUp(terms, total) {
  const all = [...terms, total].map((text) => text.replaceAll("−", "-"));
  if (!all.every((text) => Number.isFinite(Number(text)))) return true;
  const decimals = all.map(decimal);
  const lowest = Math.min(...decimals.map(({ power }) => power));
  const units = decimals.map(({ digits, power }) => digits * 10n ** BigInt(power - lowest));
  return units.slice(0, -1).reduce((sum, each) => sum + each, 0n) === units.at(-1);
}

/**
 * Return a printed number such as "-1.23e-5" as digits times a power of ten.
 * @param {string} text
 */
function decimal(text) {
  const [mantissa, exponent = "0"] = text.split("e");
  const [whole, fraction = ""] = mantissa.split(".");
  return { digits: BigInt(whole + fraction), power: Number(exponent) - fraction.length };
}
