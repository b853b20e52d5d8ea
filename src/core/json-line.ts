/** A line of JSON as Python writes it: numbers may be NaN, Infinity and -Infinity, which are null here. */

import { parseJsonText } from './json.ts';

/** A string, so that nothing in it is taken for a number, or a number that JSON does not have. */
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
