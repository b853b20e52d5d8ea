/** Formats figures of the report, in percent. */

/** `57.23` for 0.5723; a dash if there is no figure. */
export function percent(value: number | undefined): string {
  return value === undefined ? '–' : (100 * value).toFixed(2).replace('-', '−');
}

/** `+1.20`, `−0.31`, `0.00` */
export function signedPercent(value: number): string {
  const text = Math.abs(100 * value).toFixed(2);
  if (Number(text) === 0) return text;
  return `${value > 0 ? '+' : '−'}${text}`;
}

/** `p = 0.012`, `p &lt; 0.001` */
export function probability(p: number): string {
  return p < 0.001 ? 'p &lt; 0.001' : `p = ${p.toFixed(3)}`;
}
