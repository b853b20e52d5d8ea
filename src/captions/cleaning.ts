/** Cleans captions as the method does, before anything else. */

/** `<PERSON>`, a name in Conceptual Captions, becomes `person`; lower case; no `$`, which is the placeholder's; trimmed. */
export function cleanCaption(caption: string): string {
  return caption.replaceAll('<PERSON>', 'person').toLowerCase().replaceAll('$', '').trim();
}

/** Copies a text, because a part of a string would keep the whole string in memory. */
export function detached(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
