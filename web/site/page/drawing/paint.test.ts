/** Drawings on a canvas look as Chromium draws their SVG. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build } from 'esbuild';
import type { sceneSvg as asSvg, Scene } from '../../../../src/mini/portable.ts';
import { attributes, backgrounds } from '../../../../src/mini/portable.ts';
import { noBrowser, openBrowser } from '../../../../test/page/browser.ts';
import type { bitmapOf as asBitmap } from './paint.ts';

/** The page has these of the script below. */
declare const bitmapOf: typeof asBitmap;
declare const sceneSvg: typeof asSvg;

const side = 128;
/** Of 255, for each colour of each pixel, on average. Edges are a little softer or harder. */
const tolerance = 0.6;

/** Each place, shape, texture, colour, size and number. */
const scenes = backgrounds.map((background, at): Scene => {
  const pick = <Value>(values: readonly Value[]) => values[at % values.length]!;
  const colour = pick(attributes.colour);
  const [size, number] = [pick(attributes.size), pick(attributes.number)];
  const shape = (next: number) => attributes.shape[(at + next) % attributes.shape.length]!;
  return {
    background,
    objects: [
      { shape: shape(0), colour, texture: pick(attributes.texture), size, number, position: 'left' },
      {
        shape: shape(1),
        colour,
        texture: pick(attributes.texture.toReversed()),
        size,
        number,
        position: 'right',
      },
    ],
  };
});

test('drawings on a canvas look as Chromium draws their SVG', { skip: noBrowser }, async (context) => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { sceneSvg } from '../../../../src/mini/portable.ts';
        import { bitmapOf } from './paint.ts';
        Object.assign(globalThis, { sceneSvg, bitmapOf });`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    write: false,
    format: 'iife',
    conditions: ['browser', 'lincir-source'],
    logLevel: 'silent',
  });
  const browser = await openBrowser();
  context.after(() => browser.close());
  const page = await browser.newPage();
  await page.evaluate(outputFiles[0]!.text);
  const differences = await page.evaluate(
    async ([given, pixels]) => {
      const context = new OffscreenCanvas(pixels, pixels).getContext('2d', { willReadFrequently: true })!;
      const pixelsOf = (image: CanvasImageSource) => {
        context.drawImage(image, 0, 0, pixels, pixels);
        return context.getImageData(0, 0, pixels, pixels).data;
      };
      const found: number[] = [];
      for (const [variant, scene] of given.entries()) {
        const image = new Image(pixels, pixels);
        image.src = `data:image/svg+xml,${encodeURIComponent(sceneSvg(scene, pixels, variant))}`;
        await image.decode();
        const [one, other] = [pixelsOf(image), pixelsOf(bitmapOf(scene, pixels, variant))];
        found.push(one.reduce((sum, value, at) => sum + Math.abs(value - other[at]!), 0) / one.length);
      }
      return found;
    },
    [scenes, side] as const,
  );
  for (const [at, difference] of differences.entries()) {
    assert.ok(difference < tolerance, `${JSON.stringify(scenes[at])}: ${difference}`);
  }
});
