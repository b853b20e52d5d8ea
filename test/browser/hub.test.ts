/** Models by name in Chromium: fetched in ranges, kept in its private file system, through all that can go wrong. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadClip } from '../../src/clip/index.ts';
import type { FakeModel } from '../fake-hub.ts';
import { refused } from '../hub-setup.ts';
import {
  allBytes,
  blockLength,
  commit,
  hashes,
  hashOf,
  huge,
  hugeWeights,
  id,
  inBrowser,
  large,
  weights,
} from './hub-world.ts';

const check = inBrowser();
const fixtures = join(import.meta.dirname, '../fixtures');

function fixture(name: string): FakeModel['files'] {
  const folder = join(fixtures, name);
  const names = readdirSync(folder).filter((file) => /\.(json|txt|safetensors|bin)$/.test(file));
  return Object.fromEntries(names.map((file) => [file, readFileSync(join(folder, file))]));
}

const blocks = Array.from({ length: 3 }, (_, block) => {
  const end = Math.min((block + 1) * blockLength, weights.length) - 1;
  return `bytes=${block * blockLength}-${end}`;
});

check(
  'a model is fetched in ranges once, and then read without the network',
  async ({ hub, open, ranges }) => {
    const first = await open();
    assert.deepEqual(await first.ask('read', id), hashes);
    assert.deepEqual(ranges(), blocks);
    await first.page.close();
    const asked = hub.requests.length;
    const second = await open();
    assert.deepEqual(await second.ask('read', `${id}@main`), hashes);
    assert.deepEqual(await second.ask('read', id), hashes);
    assert.equal(hub.requests.length, asked);
    assert.deepEqual(second.warnings, []);
  },
);

check('what a model is and how large is said before any weights are fetched', async ({ open, ranges }) => {
  const { ask } = await open();
  const before = await ask('describe', id);
  assert.deepEqual(ranges(), []);
  const { files, free, ...facts } = before;
  assert.deepEqual(facts, {
    ...{ id, commit, licence: 'mit', isGated: false, bytes: allBytes, bytesHere: 0 },
    ...{ values: { F32: 7 }, hasHalf: false, isKept: true },
  });
  assert.deepEqual(files.at(-1), { name: 'model.safetensors', bytes: weights.length, here: 0 });
  assert.ok(free! > weights.length);
  const told = await ask('download', id);
  assert.deepEqual(told.at(-1), [weights.length, weights.length, allBytes, allBytes]);
  assert.equal((await ask('describe', id)).bytesHere, allBytes);
  assert.deepEqual(await ask('models'), [{ id, bytes: allBytes }]);
  await ask('forget', id);
  assert.deepEqual(await ask('models'), []);
  assert.equal((await ask('describe', id)).bytesHere, 0);
});

check('a tab that is closed in the middle loses only the block on its way', async ({ hub, open, ranges }) => {
  hub.faults.set('model.safetensors', { stallAt: blockLength + 1000 });
  const { page, ask } = await open();
  const ended = ask('download', id).catch(() => {});
  const other = await open();
  while ((await other.ask('describe', id)).bytesHere < blockLength) await page.waitForTimeout(50);
  await page.close();
  await ended;
  const here = (await other.ask('describe', id)).bytesHere;
  ranges();
  hub.faults.clear();
  assert.deepEqual(await other.ask('read', id), hashes);
  const missing = Math.ceil((allBytes - here) / blockLength);
  assert.deepEqual(ranges(), blocks.slice(3 - missing));
});

check('a download that was stopped goes on', async ({ hub, open, ranges }) => {
  const { ask } = await open();
  hub.faults.set('model.safetensors', { stallAt: blockLength + 1000 });
  await assert.rejects(ask('abort', id, blockLength + 1000), /enough/);
  ranges();
  hub.faults.clear();
  assert.deepEqual(await ask('read', id), hashes);
  assert.ok(!ranges().includes(blocks[0]!));
});

check(
  'connections that are cut or fall silent are taken up where they were',
  async ({ hub, open, ranges }) => {
    const { ask } = await open();
    hub.faults.set('model.safetensors', { times: 1, cutAt: 1000 });
    hub.faults.set('config.json', { times: 1, status: 503 });
    hub.faults.set('', { times: 1, status: 429, headers: { 'retry-after': '0' } });
    assert.deepEqual(await ask('read', id), hashes);
    assert.ok(ranges().includes(`bytes=1000-${blockLength - 1}`));
  },
);

check('a server that gives no ranges is read from its beginning', async ({ hub, open, ranges }) => {
  hub.faults.set('model.safetensors', { ignoresRange: true });
  const { ask } = await open();
  assert.deepEqual(await ask('read', id), hashes);
  ranges();
  assert.deepEqual(await ask('read', id), hashes);
  assert.deepEqual(ranges(), []);
});

check('a host that refuses is named, with what to do', async ({ hub, open }) => {
  const { ask } = await open();
  hub.faults.set('model.safetensors', { status: 403 });
  await refused(
    ask('read', id),
    'network',
    /acme\/large-clip\/model\.safetensors/,
    /HTTP status 403/,
    /permission/,
  );
  hub.faults.set('model.safetensors', { status: 404 });
  await refused(ask('read', id), 'not-found', /model\.safetensors/, /404/);
  hub.faults.set('model.safetensors', { status: 500 });
  await refused(ask('read', id), 'network', /HTTP status 500 \(3 times\)/, /what has arrived is kept/);
  hub.faults.set('model.safetensors', { content: weights.subarray(0, 100) });
  await refused(ask('read', id), 'network', /expected a file of/);
  hub.faults.set('model.safetensors', { content: Buffer.alloc(weights.length) });
  await refused(ask('read', id), 'network', /the hash/);
  hub.faults.clear();
  assert.deepEqual(await ask('read', id), hashes);
  await refused(ask('read', 'acme/none'), 'not-found', /acme\/none/, /check the name/);
  await refused(ask('read', '../../etc'), 'not-found', /OWNER\/NAME/);
  await refused(ask('read', `${id}@../x`), 'bad-argument', /revision/);
  hub.isOpenToPages = false;
  await refused(ask('read', `${id}@v1`), 'network', /check your network, then try again/);
});

check('where nothing can be kept, it warns once and goes on in memory', async ({ context, open, ranges }) => {
  await context.addInitScript(
    "Object.getPrototypeOf(navigator.storage).getDirectory = () => Promise.reject(new DOMException('no', 'SecurityError'))",
  );
  const { ask, warnings } = await open('Here');
  assert.deepEqual(await ask('read', id), hashes);
  assert.deepEqual(await ask('read', id), hashes);
  assert.deepEqual(ranges(), blocks);
  assert.equal((await ask('describe', id)).isKept, false);
  assert.equal(warnings.filter((text) => text.includes('keeps no files')).length, 1);
});

check("the page's own thread keeps models, too", async ({ open, ranges }) => {
  const { ask } = await open('Here');
  assert.deepEqual(await ask('read', id), hashes);
  ranges();
  assert.deepEqual(await (await open()).ask('read', id), hashes);
  assert.deepEqual(ranges(), []);
});

check('two tabs fetch every block once', async ({ open, ranges }) => {
  const tabs = await Promise.all([open(), open()]);
  const read = await Promise.all(tabs.map(({ ask }) => ask('read', id)));
  assert.deepEqual(read, [hashes, hashes]);
  assert.deepEqual(ranges(), blocks);
});

check(
  'a full storage is told before the first byte, or keeps what is there',
  async ({ context, open, ranges, url }) => {
    const { page, ask } = await open('Here');
    const devtools = await context.newCDPSession(page);
    const limit = (quotaSize: number) =>
      devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(url).origin, quotaSize });
    await page.evaluate('navigator.storage.estimate = async () => ({ quota: 9e6, usage: 1e6 })');
    await refused(
      ask('read', id),
      'io',
      /expected 10 MB for acme\/large-clip, found 8.0 MB free/,
      /remove models/,
    );
    assert.deepEqual(ranges(), []);
    await limit(blockLength); // and the browser does not tell
    await page.evaluate('navigator.storage.estimate = async () => ({})');
    const full = [/it is full/, /what has arrived is kept/];
    await refused(ask('read', id), 'io', ...full);
    await refused((await open()).ask('read', id), 'io', ...full);
    const { bytesHere } = await ask('describe', id);
    assert.ok(bytesHere < allBytes);
    await limit(10 ** 9);
    assert.deepEqual(await ask('read', id), hashes);
  },
);

check('what is damaged on the disk is fetched again', async ({ open, ranges }) => {
  const { ask } = await open();
  await ask('download', id);
  ranges();
  await ask('damage');
  assert.deepEqual(await ask('read', id), hashes);
  assert.deepEqual(ranges(), blocks);
});

const half = Buffer.from('half as much');
check(
  'weights of half the size are taken if they are wanted',
  async ({ open }) => {
    const { ask } = await open();
    assert.equal((await ask('describe', id)).hasHalf, true);
    assert.equal((await ask('read', id))['model.safetensors'], hashes['model.safetensors']);
    await ask('configure', { half: true });
    assert.equal((await ask('read', id))['model.safetensors'], hashOf(half));
  },
  [{ ...large, files: { ...large.files, 'model.fp16.safetensors': half } }],
);

/** Safetensors, PyTorch's with a plain vocabulary, and float16 in shards. */
const whole = ['tiny-clip', 'tiny-clip-f16', 'tiny-clip-laion'];
check(
  'models of all layouts load as they do from a folder',
  async ({ open }) => {
    const { ask } = await open();
    for (const name of whole) {
      const clip = await loadClip(join(fixtures, name));
      assert.equal(await ask('fingerprint', `acme/${name}`), clip.fingerprint, name);
    }
  },
  [
    ...whole.map((name) => ({
      id: `acme/${name}`,
      commit,
      files: fixture(name),
      large: ['model.safetensors'],
    })),
  ],
);

check(
  'of a large file, only what is read is fetched, and a little ahead',
  async ({ open, ranges }) => {
    const { ask } = await open();
    const at = 7 * blockLength - 2;
    assert.deepEqual(await ask('part', id, 'model.safetensors', at, 4), [
      ...hugeWeights.subarray(at, at + 4),
    ]);
    const asked = ranges().map((range) => Number(/\d+/.exec(range)) / blockLength);
    assert.ok(asked.includes(6) && asked.includes(7), `${asked}`);
    assert.ok(
      asked.every((block) => block >= 6 && block <= 10),
      `${asked}`,
    );
    await refused(ask('part', id, 'model.safetensors', hugeWeights.length, 1), 'bad-file', /a file of/);
  },
  [huge],
);

check(
  'a phi is found in its repository, and checked by its hash',
  async ({ hub, open }) => {
    const { ask } = await open();
    const { input, notices } = await ask('phi', 'acme/phis');
    assert.ok(input > 0);
    assert.match(notices.join(), /lincir\.pt, .*see its licence at/);
    assert.equal((await ask('describePhi', 'acme/phis/lincir.pt')).files.length, 1);
    await refused(ask('phi', 'searle-base'), 'not-found', /github\.com/, /give the file/);
    await refused(ask('phi', 'nothing'), 'bad-argument', /lincir-large/);
    await ask('forget', 'acme/phis');
    hub.faults.set('lincir.pt', { content: Buffer.alloc(readFileSync(phi).length) });
    await refused(ask('phi', 'acme/phis'), 'network', /the hash/);
  },
  [
    {
      id: 'acme/phis',
      commit,
      files: { 'lincir.pt': readFileSync(join(fixtures, 'phi/lincir.pt')) },
      large: [],
    },
  ],
);
const phi = join(fixtures, 'phi/lincir.pt');

check('what took long to compute is kept', async ({ open }) => {
  const first = await open();
  assert.equal(await first.ask('kept', 'int8-1/x.safetensors'), undefined);
  await first.ask('keep', 'int8-1/x.safetensors', 'scales');
  const second = await open('Here');
  assert.equal(await second.ask('kept', 'int8-1/x.safetensors'), 'scales');
});
