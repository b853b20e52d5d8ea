/** Checks what an index says about itself. */

import { z } from 'zod';
import { LincirError } from '../core/index.ts';
import { formatVersion, precisions, type StoreInfo } from './store.ts';

export const infoSchema = z.object({
  version: z.int(),
  model: z.string(),
  fingerprint: z.string(),
  dimensions: z.int().positive(),
  precision: z.enum(precisions),
  targetPad: z.number().nullable(),
  created: z.string(),
});

/** @throws LincirError 'bad-file' for an index of a newer version */
export function expectKnownVersion(described: unknown, uri: string): void {
  const { version } = z.object({ version: z.int() }).catch({ version: 0 }).parse(described);
  if (version <= formatVersion) return;
  throw new LincirError('bad-file', {
    subject: uri,
    expected: `an index of version ${formatVersion} or older`,
    found: `version ${version}`,
    todo: 'use a newer lincir',
  });
}

/** The facts that must agree to continue begun work. */
export function identityOf({ created: _, ...info }: StoreInfo): string {
  return JSON.stringify(infoSchema.omit({ created: true }).parse(info));
}
