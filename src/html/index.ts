/** HTML pages: text that stays text. */

export { escapeHtml, shown } from './text.ts';
