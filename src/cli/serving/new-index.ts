/** Makes an empty index for a server that is to fill it. */

import { loadClip } from '../../clip/index.ts';
import { LincirError } from '../../core/index.ts';
import { openIndex } from '../../indexing/index.ts';
import type { Device } from '../../onnx/index.ts';
import { type Context, downloadBar } from '../context.ts';

/** @throws LincirError 'not-found' if there is no index, and no model for a new one */
export async function makeIfMissing(
  uri: string,
  { model, device }: { readonly model?: string; readonly device?: Device },
  { reporter, signal }: Context,
): Promise<void> {
  try {
    const present = await openIndex(uri);
    return await present.close();
  } catch (error) {
    if (!(error instanceof LincirError) || error.code !== 'not-found') throw error;
    if (model === undefined) {
      const { subject, expected, found } = error.problem;
      const todo = 'give --model for a new index, such as --model base';
      throw new LincirError('not-found', { subject, expected, found, todo });
    }
  }
  const clip = await loadClip(model, { device, signal, onDownload: downloadBar(reporter, model) });
  reporter.end();
  try {
    const made = await openIndex(uri, { access: 'write', clip });
    await made.close();
  } finally {
    await clip.dispose();
  }
  reporter.note(`${uri} is new and empty`);
}
