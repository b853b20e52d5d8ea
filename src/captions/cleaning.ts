/** Captions as the method takes them, before anything else looks at them. */

/** `<PERSON>`, a name in Conceptual Captions, becomes `person`; lower case; no `$`, which is the placeholder's; trimmed. */
export function cleanCaption(caption: string): string {
  return caption.replaceAll('<PERSON>', 'person').toLowerCase().replaceAll('$', '').trim();
}

/** The same text in memory of its own: what is kept of a string otherwise keeps all of it. */
export function detached(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
