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
  return (isPlain ? value.toFixed(3) : value.toExponential(2)).replace("-", "−");
}
