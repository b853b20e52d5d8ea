/** Cleans captions as the method does, before anything else. */

/** `<PERSON>`, a name in Conceptual Captions, becomes `person`; lower case; no `$`, which is the placeholder's; trimmed. */
export function cleanCaption(caption: string): string {
  return caption.replaceAll('<PERSON>', 'person').toLowerCase().replaceAll('$', '').trim();
}

/** Copies a text of at most some ten thousand characters, because a part of a string would keep the whole string in memory. */
export function detached(text: string): string {
  return String.fromCharCode(...Uint16Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)));
}
