/** The model to load for an index: the one that is given, or the one that the index was made with. */

import { isAbsolute } from 'node:path';
import { LincirError, option, quoted } from '../core/index.ts';
import { statOf } from '../files/index.ts';
import type { StoreInfo } from '../store/index.ts';

interface ModelOptions {
  readonly model?: string;
}

/**
 * An index remembers a model's name, or the folder that it lay in.
 * @throws LincirError 'not-found' for a folder that this machine does not have
 */
export async function modelFor(
  uri: string,
  { model, fingerprint }: Pick<StoreInfo, 'model' | 'fingerprint'>,
  given?: string,
): Promise<string> {
  if (given !== undefined || !isAbsolute(model) || (await statOf(model))) return given ?? model;
  throw new LincirError('not-found', {
    subject: uri,
    expected: `its model in the folder ${quoted(model, 200)}, where it was when the index was made`,
    found: 'no such folder on this machine',
    todo: `give the same model with ${option<ModelOptions>('model')} (fingerprint ${fingerprint})`,
  });
}
