/** Names that clients use: of served indexes, of models and phis. */

import { basename, isAbsolute } from 'node:path';
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

/** How clients hear of a model or a phi: by its name, or by the last part of its path on the server. */
export function shownName(name: string): string {
  return isAbsolute(name) || name.startsWith('.') ? basename(name) : name;
}
