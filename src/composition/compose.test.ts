/** Queries of images and words against what they are made of. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Clip, loadClip } from '../clip/index.ts';
import { normalizeRows, normals } from '../core/index.ts';
import { Phi } from '../phi/index.ts';
import { methodNames, methods } from './choices.ts';
import { compose } from './compose.ts';
import { methodOf } from './methods.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const images = ['rgb.jpg', 'grey.png'].map((name) => join(fixtures, 'images', name)) as [string, string];

let clip: Clip;
let phi: Phi;
before(async () => {
  clip = await loadClip(join(fixtures, 'tiny-clip'));
  const input = clip.visionConfig.projection;
  const output = clip.textConfig.width;
  const shape = { architecture: 'lincir', input, hidden: 4 * input, output } as const;
  const sizes = [
    ['layers.0.weight', [4 * input, input]],
    ['layers.0.bias', [4 * input]],
    ['layers.3.weight', [4 * input, 4 * input]],
    ['layers.3.bias', [4 * input]],
    ['layers.6.weight', [output, 4 * input]],
    ['layers.6.bias', [output]],
  ] as const;
  const parameters = sizes.map(([name, sides], row) => {
    const count = sides.reduce<number>((product, side) => product * side, 1);
    const data = normals({ seed: 1, purpose: 'initialization', moment: 0, row }, count);
    return [name, { shape: sides, data: data.map((value) => value / 10) }] as const;
  });
  phi = await Phi.create({ shape, l2Normalize: false }, new Map(parameters));
});
after(async () => {
  await phi.dispose();
  await clip.dispose();
});

function assertClose(actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, at) => {
    assert.ok(Math.abs(value - expected[at]!) < 1e-5, `${value} instead of ${expected[at]} at ${at}`);
  });
}
const unit = (vector: Float32Array): Float32Array => {
  const copy = vector.slice();
  normalizeRows(copy, copy.length);
  return copy;
};
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);

describe('compose', () => {
  test('puts phi of the image, not normalised, in the place of $', async () => {
    const query = await compose({ clip, phi, images: [images[0]], text: 'is red' });
    assert.deepEqual([query.method, query.prompt], ['lincir', 'a photo of $ that is red']);
    assert.equal(query.fingerprint, clip.fingerprint);
    const { data } = await phi.encode(await clip.encodeImages([images[0]]));
    const { ids } = clip.tokenizer.encode('a photo of $ that is red');
    const position = ids.indexOf(clip.tokenizer.idOf('$')!);
    const expected = await clip.encodeTokens([{ ids, injected: [{ position, vector: data }] }]);
    assertClose(query.vector, unit(expected.data));
  });

  test('gives each of several images its own place', async () => {
    const swapped = await compose({ clip, phi, images: [...images].reverse(), text: 'the $2 of $1' });
    const query = await compose({ clip, phi, images, text: 'the $1 of $2' });
    assertClose(swapped.vector, query.vector);
    const other = await compose({ clip, phi, images, text: 'the $2 of $1' });
    assert.ok(dot(other.vector, query.vector) < 0.9999);
  });

  test('takes an image of an index by its vector and norm', async () => {
    const { data } = await clip.encodeImages([images[0]]);
    const stored = { path: 'a.jpg', norm: Math.hypot(...data), vector: unit(data) };
    const query = await compose({ clip, phi, images: [stored], text: 'is red' });
    assertClose(query.vector, (await compose({ clip, phi, images: [images[0]], text: 'is red' })).vector);
    const both = await compose({ clip, phi, images: [images[1], stored], text: '$1 with $2' });
    const files = await compose({ clip, phi, images: [images[1], images[0]], text: '$1 with $2' });
    assertClose(both.vector, files.vector);
    await assert.rejects(
      compose({ clip, phi, images: [{ ...stored, norm: null }], text: 'is red' }),
      /a\.jpg: expected an embedding as CLIP gives it, which phi needs, found one that was indexed at length 1/,
    );
    assertClose((await compose({ clip, images: [{ ...stored, norm: null }] })).vector, stored.vector);
  });

  test('goes without phi by four methods', async () => {
    const picture = unit((await clip.encodeImages([images[0]])).data);
    const text = unit((await clip.encodeTexts(['red'])).data);
    const one = { clip, images: [images[0]], text: 'red' };
    assertClose((await compose({ clip, images: [images[0]] })).vector, picture);
    assertClose((await compose({ clip, text: 'red' })).vector, text);
    assertClose((await compose({ ...one, method: 'image' })).vector, picture);
    assertClose((await compose({ ...one, method: 'text' })).vector, text);
    const sum = (weight: number) => unit(picture.map((value, at) => value + weight * text[at]!));
    assertClose((await compose({ ...one, method: 'sum' })).vector, sum(1));
    assertClose((await compose({ ...one, method: 'sum', weight: 0.3 })).vector, sum(0.3));
    const mixed = (await compose({ ...one, method: 'slerp' })).vector;
    const angle = (a: Float32Array, b: Float32Array) => Math.acos(dot(a, b));
    assert.ok(Math.abs(angle(picture, mixed) - 0.8 * angle(picture, text)) < 1e-3);
    assert.ok(Math.abs(angle(mixed, text) - 0.2 * angle(picture, text)) < 1e-3);
    assertClose((await compose({ ...one, method: 'slerp', weight: 0 })).vector, picture);
  });

  test('subtracts what is not wanted', async () => {
    const plain = (await compose({ clip, text: 'red' })).vector;
    const unwanted = unit((await clip.encodeTexts(['a dog'])).data);
    const without = await compose({ clip, text: 'red', without: 'a dog', withoutWeight: 0.4 });
    assertClose(without.vector, unit(plain.map((value, at) => value - 0.4 * unwanted[at]!)));
    await assert.rejects(
      compose({ clip, text: 'red', without: 'red', withoutWeight: 1 }),
      /expected a direction, found parts that cancel each other out/,
    );
  });

  test('reads dollar signs by methods without phi, too', async () => {
    const expected = await clip.encodeTexts(['a $100 bill, $5 note'], { normalize: true });
    assertClose((await compose({ clip, text: 'a $100 bill, \\$5 note' })).vector, expected.data);
    const without = (await clip.encodeTexts(['$5'], { normalize: true })).data;
    const { vector } = await compose({ clip, text: 'a', without: '\\$5', withoutWeight: 1 });
    const plain = (await compose({ clip, text: 'a' })).vector;
    assertClose(vector, unit(plain.map((value, at) => value - without[at]!)));
    await assert.rejects(
      compose({ clip, text: 'a', without: '$5' }),
      /what is not wanted: expected a text without \$/,
    );
    await assert.rejects(compose({ clip, text: '$5' }), /or write \\\$ for a dollar sign/);
  });

  test('refuses what has no direction', async () => {
    const { width } = clip.textConfig;
    const of = (value: number) => ({
      info: phi.info,
      encode: async () => ({ shape: [1, width], data: new Float32Array(width).fill(value) }),
    });
    const asked = { clip, images: [images[0]], text: 'is red' };
    for (const [value, found] of [
      [Number.NaN, 'numbers that are not finite'],
      [Number.POSITIVE_INFINITY, 'numbers that are not finite'],
      [0, 'only zeros'],
    ] as const) {
      await assert.rejects(
        compose({ ...asked, phi: of(value) }),
        new RegExp(
          `the pseudo token of an image: expected a direction, found ${found}; phi's training went wrong`,
        ),
      );
    }
    const vector = new Float32Array(clip.visionConfig.projection).fill(Number.NaN);
    await assert.rejects(
      compose({ clip, images: [{ path: 'a.jpg', norm: 1, vector }] }),
      /the embedding of image 1: expected a direction, found numbers that are not finite/,
    );
  });

  test('names what does not fit', async () => {
    const refused = (options: Parameters<typeof methodOf>[0], message: RegExp) =>
      assert.throws(() => methodOf(options), message);
    refused({ phi: true }, /expected an image, a text, or both, found neither/);
    refused(
      { images: ['a'], text: 'b' },
      /expected phi, which makes a pseudo token .* found none; give `phi: 'FILE'`, or `method: 'sum'`/,
    );
    refused(
      { images: ['a'], text: 'b', publishedPhi: { name: 'its', description: 'by X', licence: 'free' } },
      /give `phi: 'its'` \(by X; free\), `phi: 'FILE'`, or `method: 'sum'`/,
    );
    refused({ text: 'b', method: 'sum', phi: true }, /method sum: expected an image, found none/);
    refused({ images: ['a'], method: 'slerp', phi: true }, /method slerp: expected a text/);
    refused({ text: 'a $', phi: true }, /method text: expected a text without \$.*give an image/);
    refused(
      { images: ['a'], text: 'b', method: 'slerp', weight: 2, phi: true },
      /weight of slerp: expected a number from 0 to 1, found 2/,
    );
    refused(
      { text: 'b', without: 'c', withoutWeight: Number.NaN, phi: true },
      /`withoutWeight`: expected a number from 0/,
    );
    refused(
      { text: 'b', withoutWeight: 1, phi: true },
      /`withoutWeight`: expected something that is not wanted, found nothing/,
    );
    refused({ text: 'b', without: '', phi: true }, /what is not wanted: expected words, found none/);
    for (const method of methodNames.filter((name) => !methods[name].weight)) {
      refused(
        { images: ['a'], text: 'b', method, weight: 0.5, phi: true },
        new RegExp(`\`weight\`: expected the method sum or slerp, found ${method}; leave it out`),
      );
    }
    refused({ images: ['a'], text: ' ', phi: true }, /the text: expected words, found none; leave it out/);
    assert.equal(methodOf({ images: ['a'], method: 'lincir', phi: true }), 'lincir');
    await assert.rejects(compose({ clip, phi, images: ['none.jpg'], text: 'b' }), /none\.jpg/);
  });
});
