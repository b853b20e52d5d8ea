/** Models and phis by name, for browsers. `#models` names this file there. */

import { type DownloadOptions, LincirError, type ModelFiles, type RandomAccess } from '../core/index.ts';

/** A model's files, or only some of them. Throws 'not-found'. */
export async function openModel(
  name: string,
  _options: DownloadOptions & { readonly only?: 'tokenizer' } = {},
): Promise<{ readonly files: ModelFiles; readonly id: string | undefined }> {
  throw unknown(name);
}

/** A phi's file. Throws 'not-found'. */
export async function openPhi(
  name: string,
  _options: DownloadOptions & { readonly model?: string | undefined } = {},
): Promise<RandomAccess> {
  throw unknown(name);
}

function unknown(name: string): LincirError {
  return new LincirError('not-found', {
    subject: name,
    expected: 'the files themselves',
    found: 'a name, which cannot be looked up in a browser',
  });
}
