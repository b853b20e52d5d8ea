/** Draws on a second thread: the documented bits, whatever was drawn before. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { bits, type RandomStream } from '../core/index.ts';
import type { DrawOptions, PassRequest } from './draw-pass.ts';
import { DrawsAhead } from './draws.ts';

const options: DrawOptions = {
  ...{ seed: 2 ** 40 + 5, batch: 3, passes: 2, input: 6, hidden: 10 },
  ...{ noise: 0.7, dropout: 0.3 },
};
const draws = new DrawsAhead(options);
after(() => draws.close());

/** The same by single draws, as a run's first version made them. */
function expected({ step, pass }: PassRequest) {
  const { seed, batch, input, hidden, noise, dropout } = options;
  const next = (purpose: RandomStream['purpose'], row: number) => bits({ seed, purpose, moment: step, row });
  const uniform = (draw: () => number) => (draw() >>> 8) * 2 ** -24;
  const rows = Array.from({ length: batch }, (_, at) => pass * batch + at);
  const noises = rows.flatMap((row) => {
    const scale = uniform(next('noise-scale', row));
    const draw = next('noise', row);
    return Array.from({ length: input / 2 }, () => {
      const radius = Math.sqrt(-2 * Math.log((draw() + 1) * 2 ** -32));
      const angle = 2 * Math.PI * draw() * 2 ** -32;
      return [radius * Math.cos(angle), radius * Math.sin(angle)].map(
        (value) => noise * scale * Math.fround(value),
      );
    }).flat();
  });
  const mask = (layer: number) =>
    rows.flatMap((row) => {
      const draw = next('dropout', 2 * row + layer);
      return Array.from({ length: hidden }, () => (uniform(draw) < dropout ? 0 : 1 / (1 - dropout)));
    });
  return {
    noise: Float32Array.from(noises),
    masks: [Float32Array.from(mask(0)), Float32Array.from(mask(1))],
  };
}

test('passes in order, and after a jump', async () => {
  const places = [1, 2, 3].flatMap((step) => [0, 1].map((pass) => ({ step, pass })));
  for (const place of [...places, { step: 7, pass: 1 }, ...places]) {
    assert.deepEqual(await draws.take(place), expected(place), `${place.step}, ${place.pass}`);
  }
});
