/** Says how long `lincir index` will take and what it needs, before it begins. */

import { basename } from 'node:path';
import type { Clip } from '../../clip/index.ts';
import { formatBytes, formatCounted, formatDuration, formatRate } from '../../core/index.ts';
import { freeSpace } from '../../files/index.ts';
import { type Forecast, forecast, type UpdateOptions } from '../../indexing/index.ts';
import type { Device } from '../../onnx/index.ts';
import type { Context } from '../context.ts';

interface TellOptions {
  readonly index: string;
  readonly model?: string;
  readonly device?: Device;
  readonly maxPixels?: number;
  /** Programs are told what was done, not what will be. */
  readonly json?: boolean;
}

/** Until old versions of an index are removed, it takes up to twice its size. */
const roomFactor = 2;

/** For an update's options: a line before it begins, and a warning if the disk is too small. Little work needs none. */
export function tellAhead(
  { index, model, device = 'cpu', maxPixels, json }: TellOptions,
  { reporter }: Context,
): Pick<UpdateOptions, 'onFound'> {
  if (json) return {};
  return {
    onFound: async (clip, ahead) => {
      const expected = await forecast(clip, ahead, { maxPixels });
      if (expected === undefined) return;
      reporter.note(described(expected, nameOf(clip, model), device));
      const needed = roomFactor * expected.indexBytes;
      const free = isRemote(index) ? undefined : await freeSpace(index.replace(/^lance:/, ''));
      if (free === undefined || free >= needed) return;
      reporter.note(
        `warning: ${index}: ${formatBytes(free)} free on its disk, of ${formatBytes(needed)} that indexing may take`,
      );
    },
  };
}

/** As the user calls it, but for paths. */
function nameOf({ id, folder }: Clip, given: string | undefined): string {
  return given !== undefined && /^[\w.-]+$/.test(given) ? given : (id ?? basename(folder));
}

/** Such as `12,400 images to encode: about 2 h 10 min with large on this processor (1.6 images/s); …`. */
export function described(
  { images, seconds, indexBytes, memoryBytes }: Forecast,
  model: string,
  device: Device,
): string {
  const place = device === 'cpu' ? 'this processor' : device;
  return [
    `${formatCounted(images, 'images')} to encode: about ${formatDuration(seconds)} with ${model} on ${place}`,
    ` (${formatRate(images / seconds, 'images')}); ${formatBytes(indexBytes)} of index, ${formatBytes(memoryBytes)} of memory`,
  ].join('');
}

function isRemote(uri: string): boolean {
  return /^(?!lance:)[a-z][a-z0-9+]+:\/\//i.test(uri);
}
