/** The precision in which images are encoded as an index, or a file of embeddings, already has them. */

import { precisionOf } from '../clip/index.ts';
import { call, LincirError, option, quoted } from '../core/index.ts';
import { type Device, devicePrecisions, type SessionOptions } from '../onnx/index.ts';

/** What holds embeddings: an index, or a file. */
type Holder = { readonly index: string } | { readonly file: string };

/**
 * The precision to load a model with, so that its embeddings may join those of a fingerprint; undefined leaves the choice.
 * @throws LincirError 'bad-argument' for int8 on a device that does not compute it
 */
export function modelPrecision(
  holder: Holder,
  fingerprint: string,
  device: Device = 'cpu',
): 'int8' | undefined {
  const precision = precisionOf(fingerprint);
  if (precision === undefined || devicePrecisions(device).includes(precision)) return precision;
  const [name, rebuild] =
    'index' in holder
      ? [
          `the index ${quoted(holder.index, 200)}`,
          `, or rebuild: ${call('reindex', holder.index, { precision: 'float32' })}`,
        ]
      : [quoted(holder.file, 200), ''];
  throw new LincirError('bad-argument', {
    subject: option<SessionOptions>('device', device),
    expected: `cpu, because ${name} holds int8 embeddings, which only the cpu computes`,
    found: device,
    todo: `leave ${option<SessionOptions>('device')} out${rebuild}`,
  });
}
