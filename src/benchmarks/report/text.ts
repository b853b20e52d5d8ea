/** Data as it stands in the report's markup: figures in percent, counts, lists and tables. */

import { shown } from '../../html/index.ts';

/** `57.23` of 0.5723; a dash where there is no figure. */
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

/** `1 query`, `4,181 queries`. */
export function counted(count: number, one: string, several: string): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : several}`;
}

/** A list of terms, in the style of that class. Terms and values are text. */
export function definitions(style: string, rows: readonly (readonly [string, string])[]): string {
  const parts = rows.map(
    ([label, value]) => `<div><dt>${shown(label)}</dt><dd><bdi>${shown(value)}</bdi></dd></div>`,
  );
  return [`<dl class="${style}">`, ...parts, '</dl>'].join('\n');
}

/** A table that scrolls in its own place. Cells are markup. */
export function table(
  style: string,
  label: string,
  head: readonly string[],
  rows: readonly string[],
): string {
  return [
    // Who has no mouse scrolls what has the focus.
    `<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table class="${style}">`,
    `<thead><tr>${head.join('')}</tr></thead>\n<tbody>`,
    ...rows,
    '</tbody>\n</table></div>',
  ].join('\n');
}
