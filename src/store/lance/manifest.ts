/** The manifest of an index in LanceDB: its generations of tables, and which of them is current. */

import { z } from 'zod';
import { LincirError, parseJsonText, recordOf, unquoted } from '../../core/index.ts';
import { expectKnownVersion, infoSchema } from '../info.ts';

const manifestFields = z.object({
  /** The current generation. Tables of others are being made, or are left over from earlier ones. */
  current: z.int().nonnegative(),
  generations: recordOf(infoSchema),
});
export type Manifest = z.infer<typeof manifestFields>;

/** @throws LincirError 'bad-file' for an index of a newer version or a damaged one */
export function parseManifest(text: string, uri: string): Manifest {
  const refuse = (expected: string, found: string, todo: string, cause?: unknown) =>
    new LincirError('bad-file', { subject: uri, expected, found, todo, cause });
  let manifest: unknown;
  try {
    manifest = parseJsonText(text, uri);
  } catch {
    throw refuse('an index that says what it is', 'none that can be read', 'rebuild it');
  }
  expectKnownVersion(manifest, uri);
  const parsed = manifestFields.safeParse(manifest);
  const info = parsed.data?.generations[parsed.data.current];
  if (parsed.success && info !== undefined) return parsed.data;
  const found = unquoted(parsed.error?.issues[0]?.message ?? 'no current generation');
  throw refuse('an index that says what it is', found, 'rebuild it', parsed.error);
}
