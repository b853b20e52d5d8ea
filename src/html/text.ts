/** Puts data into HTML as text: whatever it contains, it stays text. */

/** Limit in characters. Longer text says nothing more. */
const textLimit = 4096;

/** Escapes text for HTML and attributes. Characters that are invisible, or reverse the text, are spelt out. */
export function escapeHtml(text: string): string {
  const short = text.length > textLimit ? `${text.slice(0, textLimit - 1)}…` : text;
  return escapeHref(
    short.replace(
      /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/gu,
      (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`,
    ),
  );
}

/** Escapes an address for an attribute: all its characters, however long it is. */
export function escapeHref(address: string): string {
  return address.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
