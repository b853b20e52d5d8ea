/** What all HTML pages share: their shell and style, escaping, lists of terms, tables, embedded images. */

export { page } from './page.ts';
export { dataUrl, definitions, frameRatio, table } from './parts.ts';
export { escapeHref, escapeHtml } from './text.ts';
