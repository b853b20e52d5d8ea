/** Markup that pages share. */

import { escapeHtml } from './text.ts';

/** A list of terms, with this class. Terms and values are text. */
export function definitions(style: string, rows: readonly (readonly [string, string])[]): string {
  const parts = rows.map(
    ([label, value]) => `<div><dt>${escapeHtml(label)}</dt><dd><bdi>${escapeHtml(value)}</bdi></dd></div>`,
  );
  return [`<dl class="${style}">`, ...parts, '</dl>'].join('\n');
}

/** A table that scrolls in its own place. Cells are markup, the label is text. */
export function table(
  style: string,
  label: string,
  head: readonly string[],
  rows: readonly string[],
): string {
  return [
    // Without a mouse, one scrolls what has the focus.
    `<div class="scroll" role="region" aria-label="${escapeHtml(label)}" tabindex="0"><table class="${style}">`,
    `<thead><tr>${head.join('')}</tr></thead>\n<tbody>`,
    ...rows,
    '</tbody>\n</table></div>',
  ].join('\n');
}

/** An image's address that contains the image itself. */
export function dataUrl(type: string, bytes: Uint8Array): string {
  return `data:image/${type};base64,${Buffer.from(bytes).toString('base64')}`;
}

/** The frames' ratio of width to height that leaves most images the least unused room. */
export function frameRatio(images: readonly { readonly width: number; readonly height: number }[]): string {
  const ratios = images.map(({ width, height }) => width / height).sort((a, b) => a - b);
  const median = ratios[Math.floor(ratios.length / 2)] ?? 4 / 3;
  return Math.min(1.6, Math.max(0.75, median)).toFixed(3);
}
