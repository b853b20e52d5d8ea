/** Data as text in HTML: whatever it holds, it stays text. */

/** Longer text tells nothing more. In characters. */
const textLimit = 4096;

/** Text as it may stand in HTML, in attributes too. What would be unseen, or turn the text around, is spelt out. */
export function shown(text: string): string {
  const short = text.length > textLimit ? `${text.slice(0, textLimit - 1)}…` : text;
  return escapeHtml(
    short.replace(
      /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/gu,
      (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`,
    ),
  );
}

/** Text whose characters mean nothing to HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
