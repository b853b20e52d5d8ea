/** Names of served indexes: `NAME=URI`, or the last part of the address. */

import { LincirError, quoted } from '../core/index.ts';

/**
 * An index to serve, as the command line names it: `NAME=URI`, or a URI, whose last part without `.lance` is the name.
 * @throws LincirError 'bad-argument' for a name with other characters than letters, digits, dots, dashes and underscores
 */
export function servedName(given: string): { readonly name: string; readonly uri: string } {
  const [, named, rest] = /^([\w.-]+)=(.+)$/s.exec(given) ?? [];
  const uri = rest ?? given;
  const last =
    uri
      .replace(/[/\\]+$/, '')
      .split(/[/\\:]/)
      .at(-1) ?? '';
  const name = named ?? last.replace(/\.lance$/, '').replace(/[^\w.-]+/g, '-');
  if (/^[\w.-]{1,64}$/.test(name)) return { name, uri };
  throw new LincirError('bad-argument', {
    subject: `the name of the index ${quoted(uri)}`,
    expected: '1 to 64 letters, digits, dots, dashes and underscores',
    found: quoted(name),
    todo: 'give it another name: NAME=URI',
  });
}
