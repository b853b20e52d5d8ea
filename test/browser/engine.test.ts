/** The engine in Chromium: operators, towers, training steps and composition, as on Node, in WebAssembly and on WebGPU. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { SessionOptions } from '../../src/onnx/index.ts';
import type { OperatorName } from '../../src/onnx/operators.ts';
import { operatorCases } from '../operator-cases.ts';
import { type Engine, noBrowser, openChromium, openEngine, type Site, serveSite } from './chromium.ts';
import { computedOnNode, mini, relativeDifference } from './mini.ts';

interface Place {
  readonly place: string;
  readonly path: string;
  readonly options: SessionOptions;
  readonly skip: string | false;
  /** Largest errors: of operators, embeddings and gradients, relative to the largest entry. */
  readonly operators: number;
  readonly embeddings: number;
  readonly gradients: number;
  /** Whether the models of two families are enough. */
  readonly isShort: boolean;
}

const fixtures = 'test/fixtures';

/** Its shaders take a minute to compile on a processor, so it is asked for, as in `test/webgpu.test.ts`. */
const noWebgpu =
  noBrowser || (process.env.LINCIR_TEST_WEBGPU === '1' ? false : 'set LINCIR_TEST_WEBGPU=1 for WebGPU');

const places: readonly Place[] = [
  {
    ...{ place: 'WebAssembly with one thread', path: '', options: { device: 'cpu' } },
    ...{ skip: noBrowser, operators: 1e-5, embeddings: 2e-5, gradients: 1e-4, isShort: false },
  },
  {
    ...{ place: 'WebAssembly with threads', path: 'isolated/', options: { device: 'cpu', threads: 2 } },
    ...{ skip: noBrowser, operators: 1e-5, embeddings: 2e-5, gradients: 1e-4, isShort: true },
  },
  {
    ...{ place: 'WebGPU', path: '', options: { device: 'webgpu' } },
    ...{ skip: noWebgpu, operators: 1e-3, embeddings: 1e-3, gradients: 1e-3, isShort: true },
  },
];

/** Models with outputs of PyTorch beside them, and the file of those that are a single one. */
const models: readonly (readonly [folder: string, file?: string])[] = [
  ['tiny-clip'],
  ['tiny-siglip'],
  ['tiny-clip-laion'],
  ['tiny-clip-f16'],
  ['tiny-clip-bf16'],
  ['tiny-clip-text'],
  ['tiny-metaclip2'],
  ['tiny-chinese-clip'],
  ['tiny-open-clip'],
  ['tiny-open-clip-custom'],
  ['tiny-open-clip-xlm'],
  ['tiny-openai', 'ViT-tiny.pt'],
  ['tiny-pe-core', 'PE-Core-tiny.pt'],
];

for (const { place, path, options, skip, isShort, ...allowed } of places) {
  describe(place, { skip }, () => {
    let site: Site;
    let browser: Browser;
    let engine: Engine;
    before(async () => {
      site = await serveSite();
      browser = await openChromium();
      engine = await openEngine(browser, site.url + path);
      await engine.ask('hold', options);
    });
    after(async () => {
      await browser?.close();
      site?.close();
    });

    test('every operator agrees with the reference', async () => {
      for (const operator of Object.keys(operatorCases) as OperatorName[]) {
        if (operator === 'Cast' && options.device === 'webgpu') continue; // to float64, which no tower needs
        await engine.ask('operator', operator, allowed.operators, options);
      }
      for (const positions of [32, 50, 77]) {
        await engine.ask('attention', positions, allowed.operators, options);
      }
    });

    test('the towers are those of PyTorch', async () => {
      for (const [folder, file] of models.slice(0, isShort ? 2 : undefined)) {
        const { gradient, ...embeddings } = await engine.ask(
          'towers',
          `${fixtures}/${folder}`,
          1024,
          options,
          file,
        );
        assert.ok(gradient! < allowed.gradients, `${folder}: gradient is off by ${gradient}`);
        for (const [what, error] of Object.entries(embeddings)) {
          assert.ok(error < allowed.embeddings, `${folder}: ${what} is off by ${error}`);
        }
      }
    });

    test('training steps are those of PyTorch', async () => {
      const recorded = `${fixtures}/training-step/reference.safetensors`;
      const found = await engine.ask('training', `${fixtures}/tiny-clip`, recorded, 1024, options.device);
      for (const what of ['loss', 'gradient', 'weights'] as const) {
        assert.ok(found[what] < allowed.gradients, `${what} is off by ${found[what]}`);
      }
    });

    test("the miniature world's model computes and composes what it does on Node", async () => {
      const found = await engine.ask('computed', mini, { device: options.device });
      const expected = await computedOnNode(mini);
      assert.equal(found.fingerprint, expected.fingerprint);
      assert.deepEqual(Object.keys(found.values), Object.keys(expected.values));
      for (const [name, values] of Object.entries(expected.values)) {
        const difference = relativeDifference(found.values[name]!, values);
        const most = { eightBits: 0.03, gradient: allowed.gradients }[name] ?? allowed.embeddings;
        assert.ok(difference < most, `${name} is off by ${difference}`);
      }
    });
  });
}
