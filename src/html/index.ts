/** HTML pages: text that stays text. */

export { markup, shown } from './text.ts';
