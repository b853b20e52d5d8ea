/** ONNX Runtime in Chromium: where its file lies, how many threads it has, the GPU, and what goes wrong. */

import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import {
  type Engine,
  noBrowser,
  openChromium,
  openEngine,
  openWithoutGpu,
  type Site,
  serveSite,
} from './chromium.ts';

const file = 'ort-wasm-simd-threaded.wasm';

describe('ONNX Runtime in Chromium', { skip: noBrowser }, () => {
  let site: Site;
  let browser: Browser;
  before(async () => {
    site = await serveSite();
    browser = await openChromium();
  });
  after(async () => {
    await browser?.close();
    site?.close();
  });

  /** In a page of its own, so in a worker that has made no session. */
  async function using<Result>(path: string, use: (engine: Engine) => Promise<Result>): Promise<Result> {
    const engine = await openEngine(browser, site.url + path);
    try {
      return await use(engine);
    } finally {
      await engine.close();
    }
  }

  test('threads as the page is isolated, or one', async () => {
    assert.equal((await using('', ({ ask }) => ask('facts'))).threads, 1);
    const { threads } = await using('isolated/', ({ ask }) => ask('facts'));
    assert.ok(threads >= Math.min(availableParallelism(), 4) && threads <= 8, `${threads}`);
  });

  test('its file is missing: the message says so, in time', async () => {
    await using('bare/', async ({ ask }) => {
      const refused =
        /network ONNX Runtime's WebAssembly file: expected .*fetched.*; check that its server has it/;
      await assert.rejects(ask('tiny', {}), refused);
      await assert.rejects(ask('tiny', {}), refused);
    });
  });

  test('its file is elsewhere, or the page has its bytes', async () => {
    for (const asBytes of [false, true]) {
      await using('bare/', async ({ ask }) => {
        await ask('configure', { file: `${site.url}${file}`, asBytes });
        assert.equal(await ask('tiny', {}), 8);
      });
    }
  });

  test('it is configured before the first session, with threads that can be', async () => {
    await using('isolated/', async ({ ask }) => {
      await assert.rejects(
        ask('configure', { threads: 0.5 }),
        /`threads`: expected a whole number from 1 on/,
      );
      await ask('configure', { threads: 2 });
      assert.equal(await ask('tiny', {}), 8);
      await assert.rejects(
        ask('configure', { threads: 1 }),
        /expected to be called before the first session/,
      );
    });
  });

  test('what takes more memory than WebAssembly has', async () => {
    await using('', async ({ ask }) => {
      const refused = /^.*device device 'cpu': expected memory enough .*4 GB at most; use smaller batches/;
      for (const values of [1_073_000_000, 1_500_000_000]) {
        await assert.rejects(ask('large', values, {}), refused);
      }
      assert.equal(await ask('tiny', {}), 8, 'a smaller one is computed afterwards');
    });
  });

  test('a browser that reserves less memory than ONNX Runtime asks for', async () => {
    await using('isolated/', async ({ ask }) => {
      await ask('limitMemory', 10_000);
      await ask('configure', { threads: 2 });
      assert.equal(await ask('tiny', {}), 8);
      await assert.rejects(ask('large', 200_000_000, {}), /expected memory enough/);
      assert.equal(await ask('tiny', {}), 8, 'a smaller one is computed afterwards');
    });
    await using('', async ({ ask }) => {
      await ask('limitMemory', 1000);
      await assert.rejects(ask('tiny', {}), /expected memory enough .*Out of memory/);
    });
  });

  test('a model that can never be in memory is refused by its size, before it is read', async () => {
    await using('', async ({ ask }) => {
      const refused =
        /device 'cpu': expected memory for the tower's weights, 6\.\d GB, found room for 4\.\d GB/;
      await assert.rejects(ask('heavy', 1.5 * 2 ** 30 + 2 ** 26), refused);
    });
  });

  test('a GPU: runs wait for one another', async (context) => {
    await using('', async ({ ask }) => {
      if (!(await ask('facts')).adapter) return context.skip('this Chromium has no WebGPU');
      assert.deepEqual(await ask('atOnce', { device: 'webgpu' }), [0, 2, 4, 6, 8, 10, 12, 14]);
    });
  });

  test('a GPU that is taken away: refused, and what to do', async (context) => {
    for (const isRunning of [false, true]) {
      await using('', async ({ ask }) => {
        if (!(await ask('facts')).adapter) return context.skip('this Chromium has no WebGPU');
        const refused =
          /device 'webgpu': expected a GPU that goes on.*lost.*load the page again.*`device: 'cpu'`/;
        await assert.rejects(ask('lose', isRunning), refused);
      });
    }
  });

  test('float16 on a GPU that has none: what to use instead', async (context) => {
    await using('', async ({ ask }) => {
      const { adapter } = await ask('facts');
      if (!adapter || adapter.hasFloat16) return context.skip('this Chromium has no GPU without float16');
      await assert.rejects(
        ask('tiny', { device: 'webgpu', precision: 'float16' }),
        /found .*swiftshader.*which does not; .*use `precision: 'float32'`/,
      );
    });
  });

  test('no GPU: the device is refused, and the CPU is there', async () => {
    const other = await openWithoutGpu();
    try {
      const { ask } = await openEngine(other, site.url);
      assert.equal((await ask('facts')).adapter, undefined);
      await assert.rejects(
        ask('tiny', { device: 'webgpu' }),
        /device 'webgpu': expected a GPU that this browser lets pages use, found no adapter; .*`device: 'cpu'`/,
      );
      assert.equal(await ask('tiny', {}), 8);
    } finally {
      await other.close();
    }
  });
});
