/** The counter-based generator against its authors' known answers, and its distributions. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bits, dropoutMask, normals, philox, type RandomStream, sequence, uniforms } from './random.ts';

const stream: RandomStream = { seed: 7, purpose: 'noise', moment: 3, row: 0 };

test('Philox4x32-10 gives the known answers of Random123', () => {
  const answers = [
    { words: 0, expected: '6627e8d5 e169c58d bc57ac4c 9b00dbd8' },
    { words: 0xffffffff, expected: '408f276d 41c83b0e a20bc7c6 6d5451fd' },
  ];
  const block = new Uint32Array(4);
  for (const { words, expected } of answers) {
    philox(block, [words, words, words, words], [words, words]);
    assert.equal([...block].map((word) => word.toString(16).padStart(8, '0')).join(' '), expected);
  }
  philox(block, [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]);
  assert.deepEqual([...block], [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]);
});

test('uniforms and normals have the moments of their distributions', () => {
  const moments = (values: Float32Array): [mean: number, variance: number] => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length];
  };
  const count = 200_000;
  const [uniformMean, uniformVariance] = moments(uniforms(stream, count));
  assert.ok(Math.abs(uniformMean - 1 / 2) < 0.003 && Math.abs(uniformVariance - 1 / 12) < 0.001);
  const values = normals(stream, count);
  const [mean, variance] = moments(values);
  assert.ok(Math.abs(mean) < 0.01 && Math.abs(variance - 1) < 0.015, `${mean} ${variance}`);
  const beyond = values.filter((value) => Math.abs(value) > 1.96).length / count;
  assert.ok(Math.abs(beyond - 0.05) < 0.003, `${beyond}`);
});

test('every part of a stream changes its numbers, and nothing else does', () => {
  const variants: RandomStream[] = [
    stream,
    { ...stream, seed: 8 },
    { ...stream, seed: 7 + 2 ** 40 },
    { ...stream, purpose: 'dropout' },
    { ...stream, moment: 4 },
    { ...stream, moment: 3 + 2 ** 40 },
    { ...stream, row: 1 },
  ];
  const drawn = variants.map((variant) => uniforms(variant, 8).join());
  assert.equal(new Set(drawn).size, variants.length);
  assert.equal(uniforms(stream, 8).join(), drawn[0]);
  assert.deepEqual(normals(stream, 5), normals(stream, 50).slice(0, 5));
  const next = sequence(stream);
  const first = uniforms(stream, 3);
  for (const value of first) assert.ok(Math.abs(next() - value) < 2 ** -23);
});

test('many numbers at once are the same, to the bit, as one after another', () => {
  const streams: RandomStream[] = [
    { seed: 2 ** 53 - 1, purpose: 'scene', moment: 2 ** 40 + 7, row: 2 ** 32 - 1 },
    { seed: 0, purpose: 'initialization', moment: 0, row: 0 },
  ];
  for (const stream of streams) {
    for (const count of [1, 3, 4, 5, 64, 65, 70_001]) {
      const next = bits(stream);
      const words = Uint32Array.from({ length: count + (count % 2) }, next);
      const uniform = Float32Array.from(words, (word) => (word >>> 8) * 2 ** -24).slice(0, count);
      assert.deepEqual(uniforms(stream, count), uniform);
      const normal = Float32Array.from(words, (_, at) => {
        const radius = Math.sqrt(-2 * Math.log((words[at - (at % 2)]! + 1) * 2 ** -32));
        const angle = 2 * Math.PI * words[at - (at % 2) + 1]! * 2 ** -32;
        return radius * (at % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
      });
      assert.deepEqual(normals(stream, count), normal.slice(0, count));
      for (const dropped of [0, 0.1, 0.5, 1 / 3, 1 - 2 ** -24]) {
        const mask = new Float32Array(count);
        dropoutMask(stream, dropped, mask);
        assert.deepEqual(
          mask,
          uniform.map((draw) => (draw < dropped ? 0 : 1 / (1 - dropped))),
        );
      }
    }
  }
});
