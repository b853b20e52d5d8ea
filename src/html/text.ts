/** Data as text in HTML: whatever it holds, it stays text. */

/** Longer text tells nothing more. In characters. */
const textLimit = 4096;

/** Text as it may stand in HTML, in attributes too. What would be unseen, or turn the text around, is spelt out. */
export function escapeHtml(text: string): string {
  const short = text.length > textLimit ? `${text.slice(0, textLimit - 1)}…` : text;
  return escapeHref(
    short.replace(
      /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/gu,
      (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`,
    ),
  );
}

/** An address as the value of an attribute: all its characters, however long it is. */
export function escapeHref(address: string): string {
  return address.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
