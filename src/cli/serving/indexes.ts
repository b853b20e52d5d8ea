/** The indexes that serve and mcp answer for, as their options name them. */

import { LincirError, quoted } from '../../core/index.ts';
import { type IndexToServe, servedName } from '../../service/choices.ts';

/** Joins indexes with their phis. A phi without a name is that of all indexes that have none of their own. */
export function indexesToServe(uris: readonly string[], phis: readonly string[]): IndexToServe[] {
  const indexes = uris.map(servedName);
  const names = new Set(indexes.map(({ name }) => name));
  if (names.size < indexes.length) {
    throw new LincirError('bad-argument', {
      subject: '--index',
      expected: 'different names',
      found: indexes.map(({ name }) => name).join(', '),
      todo: 'name them yourself: NAME=URI',
    });
  }
  const own = new Map<string, string>();
  let shared: string | undefined;
  for (const given of phis) {
    const at = given.indexOf('=');
    const name = given.slice(0, Math.max(at, 0));
    if (names.has(name) && !own.has(name)) own.set(name, given.slice(at + 1));
    else if (shared === undefined && !/^[\w.-]{1,64}=/.test(given)) shared = given;
    else {
      throw new LincirError('bad-argument', {
        subject: '--phi',
        expected: `one for all indexes, or NAME=PHI for each of ${[...names].join(', ') || 'them'}`,
        found: quoted(given),
      });
    }
  }
  return indexes.map((index) => ({ ...index, phi: own.get(index.name) ?? shared }));
}
