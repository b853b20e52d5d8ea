/** Reads a line of JSON as Python writes it: NaN, Infinity and -Infinity are allowed, and become null. */

import { parseJsonText } from './json.ts';

/** Matches strings, to skip what is inside them, and numbers that JSON does not have. */
const stringOrNumber = /"(?:[^"\\]|\\.)*(?:"|\\?$)|-?(?:NaN|Infinity)/gs;

/** Parses a line as `parseJsonText` does. */
export function parseJsonLine(...[line, subject, reviver]: Parameters<typeof parseJsonText>): unknown {
  try {
    return parseJsonText(line, subject, reviver);
  } catch (error) {
    const json = line.replaceAll(stringOrNumber, (found) => (found.startsWith('"') ? found : 'null'));
    if (json === line) throw error;
    return parseJsonText(json, subject, reviver);
  }
}
