/** Names of files. Canonically equivalent names are one name to people, whichever bytes a file system or a table has. */
// Unicode Standard Annex 15: é is one character (NFC, as people type it) or two (NFD, as macOS writes it).

/** The form in which names are compared: equal if they are canonically equivalent. Files are opened by their own names. */
export function nameKey(name: string): string {
  return name.normalize('NFC');
}

/** ASCII has one form, except what a Kelvin sign, a Greek question mark and a varia are equivalent to. */
const oneForm = /^[\0-:<-JL-_a-\x7f]*$/;

/** Whether a name may have several forms. Only such names need a look at the disk. */
export function hasForms(name: string): boolean {
  return !oneForm.test(name);
}
