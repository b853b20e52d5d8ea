/** Devices with other last bits are found, by what they compute of one batch. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyModel } from '../../../test/served.ts';
import { readConfigOf } from '../../clip/index.ts';
import { folderFiles } from '../../files/index.ts';
import type { TowerDevice } from './device.ts';
import { packResult, readTask, resultSizes } from './messages.ts';
import { SameBits } from './same-bits.ts';

const config = (await readConfigOf(folderFiles(tinyModel)))!.text!;

/** A device whose results are all one value. It takes only what a real one takes. */
function answering(value: number): TowerDevice {
  return {
    facts: {
      ...{ protocol: 1, fingerprint: 'f', device: 'cpu', precision: 'float32', positions: 1, processes: 1 },
    },
    compute: async (bytes) => {
      const task = await readTask(bytes, { config, positions: 1 });
      const sizes = Object.entries(resultSizes(task, config));
      return packResult(
        Object.fromEntries(sizes.map(([name, size]) => [name, new Float32Array(size).fill(value)])),
      );
    },
    close: async () => {},
  };
}

test('the first device is the measure, and one last bit is enough', async () => {
  const sameBits = new SameBits(config);
  assert.equal(await sameBits.otherThan('first', answering(1)), undefined);
  assert.equal(await sameBits.otherThan('same', answering(1)), undefined);
  assert.equal(await sameBits.otherThan('other', answering(1 + 2 ** -23)), 'first');
  const failing = { ...answering(1), compute: () => Promise.reject(new Error('away')) };
  await assert.rejects(sameBits.otherThan('failing', failing), /away/);
});
