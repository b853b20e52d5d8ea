/** Ids and revisions on the hub, and the presets that stand for some. */

import { LincirError, quoted } from '../core/index.ts';
import { modelPresets } from './choices.ts';

/** `NAME@REVISION` in two. */
export function splitName(text: string): { readonly name: string; readonly suffix: string | undefined } {
  const [, name = '', suffix] = /^([^@]*)(?:@(.*))?$/s.exec(text) ?? [];
  return { name, suffix };
}

/** The id of a model's preset. */
export function presetId(name: string): string | undefined {
  return modelPresets.find((preset) => preset.name === name)?.id;
}

/** @param others names that count beside presets and ids */
export function unknownModel(model: string, others: string): LincirError {
  const names = modelPresets.map(({ name }) => name).join(', ');
  return new LincirError('not-found', {
    subject: 'model',
    expected: `one of ${names}, ${others}OWNER/NAME on the hub`,
    found: quoted(model),
  });
}

/** The revision from the name or the option. Throws `bad-argument` as `findModel` does. */
export function chosenRevision(suffix: string | undefined, option: string | undefined): string {
  if (suffix !== undefined && option !== undefined && suffix !== option) {
    throw new LincirError('bad-argument', {
      subject: 'revision',
      expected: 'one revision',
      found: `${quoted(suffix)} and ${quoted(option)}`,
    });
  }
  const revision = suffix ?? option ?? 'main';
  // It becomes a path under refs/, also on Windows.
  const isSafe = /^\w[\w.+-]*(\/\w[\w.+-]*)*$/.test(revision) && !/\.(tmp|lock)?(\/|$)|\.\./.test(revision);
  if (isSafe && revision.length <= 200) return revision;
  throw new LincirError('bad-argument', {
    subject: 'revision',
    expected: 'the name of a branch or tag, or a commit hash',
    found: quoted(revision),
  });
}

/** Whether this can be OWNER/NAME on the hub. */
export function isHubId(name: string): boolean {
  return /^(?=.{3,96}$)\w([\w.-]*\w)?\/\w([\w.-]*\w)?$/.test(name) && !/--|\.\.|\.git$/.test(name);
}
