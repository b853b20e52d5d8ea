/** Where a crop begins, of which libraries have two opinions. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Window, windowOf } from './window.ts';

/** The first column of a crop out of a row of columns that know their places. */
function startOf(margin: number, oddMargin?: Window['oddMargin']): number {
  const width = 4 + margin;
  const data = Uint8Array.from({ length: 3 * width }, (_, at) => Math.floor(at / 3));
  const window = {
    crop: { height: 1, width: 4 },
    filter: 'bicubic',
    targetPad: Infinity,
    isStored: true,
  } as const;
  return windowOf({ data, width, height: 1 }, { ...window, oddMargin }).data[0]!;
}

const margins = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

test('an odd margin is smaller at the beginning, as in transformers', () => {
  assert.deepEqual(
    margins.map((margin) => startOf(margin)),
    margins.map((margin) => Math.floor(margin / 2)),
  );
});

test("or the crop begins at an even place, as Python's round does for torchvision", () => {
  assert.deepEqual(
    margins.map((margin) => startOf(margin, 'even')),
    [0, 0, 1, 2, 2, 2, 3, 4, 4, 4],
  );
});
