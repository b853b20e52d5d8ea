/** Models in pages where a host lies, a page's storage vanishes or a tab ends at the worst moment: nothing wrong is kept, and it is said. */

import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { refused } from '../hub-setup.ts';
import { openHubPage } from './hub-pages.ts';
import {
  blockLength,
  hashes,
  hashOf,
  huge,
  hugeWeights,
  id,
  inBrowser,
  smallFiles,
  weights,
} from './hub-world.ts';

const check = inBrowser(['--disable-gpu', '--host-resolver-rules=MAP insecure.test 127.0.0.1']);
const file = 'model.safetensors';

check(
  'a server that gives no ranges and always ends too early is given up, and taken up again later',
  async ({ hub, open, ranges }) => {
    const { ask } = await open();
    const content = weights.subarray(0, blockLength + 1000);
    hub.faults.set(file, { ignoresRange: true, content, chunked: true });
    await refused(ask('read', id), 'network', /an end after .* \(3 times\)/);
    assert.ok(ranges().length < 20);
    hub.faults.clear();
    assert.deepEqual(await ask('read', id), hashes);
  },
);

check('a range that nobody asked for is refused, and a compressed answer is read', async ({ hub, open }) => {
  const { ask } = await open();
  hub.handlers.push(async (_host, path, _request, response) => {
    response.setHeader('access-control-expose-headers', 'content-range');
    if (!path.endsWith('/config.json')) return false;
    response.setHeader('content-encoding', 'gzip');
    response.end(gzipSync(smallFiles['config.json']));
    return true;
  });
  hub.faults.set(file, { contentRange: `bytes 5-9/${weights.length}` });
  await refused(ask('read', id), 'network', /HTTP status 206 with bytes 5-9/);
  hub.faults.clear();
  assert.deepEqual(await ask('read', id), hashes);
});

check(
  'of another file, sent in place of a model, nothing is kept',
  async ({ hub, open }) => {
    const { ask } = await open();
    hub.faults.set(file, { ignoresRange: true, content: Buffer.alloc(hugeWeights.length + 1, 'other') });
    await refused(ask('part', id, file, 0, 4), 'network', /more bytes/);
    hub.faults.clear();
    assert.deepEqual(await ask('part', id, file, 0, 4), [...hugeWeights.subarray(0, 4)]);
  },
  [huge],
);

check(
  'a large file has the hash that the hub states, or is forgotten when all of it has arrived',
  async ({ hub, open, ranges }) => {
    const { ask } = await open();
    const wrong = Buffer.from(hugeWeights);
    wrong[30 * 2 ** 20]! ^= 1;
    hub.faults.set(file, { content: wrong });
    await refused(ask('download', id), 'network', /model\.safetensors/, /the hash/, /nothing of it was kept/);
    assert.equal((await ask('describe', id)).files.at(-1)!.here, 0);
    hub.faults.clear();
    await ask('download', id);
    ranges();
    await ask('download', id);
    assert.deepEqual(ranges(), []);
  },
  [huge],
);

check(
  'what was read before all had arrived is checked in the background',
  async ({ hub, context, open }) => {
    await context.addInitScript(`{
      const { setTimeout } = globalThis;
      globalThis.setTimeout = (work, wait, ...given) => setTimeout(work, wait === 5000 ? 1 : wait, ...given);
    }`);
    const { ask, page, warnings } = await open('Here');
    const wrong = Buffer.from(hugeWeights);
    wrong[30 * 2 ** 20]! ^= 1;
    hub.faults.set(file, { content: wrong });
    await ask('hold', id, file);
    while (warnings.length === 0) await page.waitForTimeout(50);
    assert.match(warnings[0]!, /large-clip\/model\.safetensors: expected .*the hash .*cannot be trusted/);
    await refused(ask('readHeld'), 'network', /the hash/);
    assert.equal((await ask('describe', id)).files.at(-1)!.here, 0);
  },
  [huge],
);

check('a block that a closed tab left half written is fetched with the rest', async ({ hub, open }) => {
  const { ask } = await open();
  hub.faults.set(file, { stallAt: 2 * blockLength + 1000 });
  await assert.rejects(ask('abort', id, 2 * blockLength + 1000), /enough/);
  hub.faults.clear();
  await ask('truncate');
  await ask('download', id);
  const asked = hub.requests.length;
  assert.deepEqual(await ask('read', id), hashes);
  assert.equal(hub.requests.length, asked);
});

check('a download that is ended while it checks what is here stops', async ({ open }) => {
  const { ask } = await open();
  await ask('download', id);
  await assert.rejects(ask('abort', id, 0), /enough/);
});

check('progress reaches all in each of two tabs, and ends with the download', async ({ hub, open }) => {
  const tabs = await Promise.all([open(), open()]);
  for (const told of await Promise.all(tabs.map(({ ask }) => ask('download', id)))) {
    const [received, total] = told.at(-1)!.slice(2);
    assert.equal(received, total);
  }
  const { ask } = tabs[0]!;
  await ask('forget', id);
  hub.faults.set(file, { trickle: 1 });
  hub.faults.set('tokenizer.json', { status: 404 });
  assert.equal(await ask('lateNews', id), 0);
});

check('storage that is cleared while a page is open is made anew', async ({ open, ranges }) => {
  const { ask } = await open();
  await ask('download', id);
  await ask('wipe');
  ranges();
  await ask('download', id);
  assert.equal(ranges().length, 3);
  assert.deepEqual(await ask('read', id), hashes);
  assert.deepEqual(ranges(), []);
});

check('a model that is forgotten is gone from memory, too', async ({ context, open, ranges }) => {
  await context.addInitScript(
    "Object.getPrototypeOf(navigator.storage).getDirectory = () => Promise.reject(new DOMException('no', 'SecurityError'))",
  );
  const { ask } = await open('Here');
  await ask('read', id);
  await ask('forget', id);
  ranges();
  assert.deepEqual(await ask('read', id), hashes);
  assert.equal(ranges().length, 3);
});

check('a commit that is gone from the hub is asked for anew the next time', async ({ hub, open }) => {
  const { ask } = await open();
  await ask('describe', id);
  const old = hub.models.get(id)!;
  const other = Buffer.from(weights).reverse();
  const commit = 'd'.repeat(40);
  hub.models.set(id, { ...old, commit, files: { ...old.files, [file]: other } });
  hub.handlers.push(async (_host, path, _request, response) => {
    if (!path.includes(old.commit)) return false;
    response.writeHead(404).end();
    return true;
  });
  await refused(ask('read', id), 'not-found', /404/, /open it again/);
  assert.equal((await ask('read', id))[file], hashOf(other));
});

check('a page without HTTPS is told what it lacks', async ({ hub, context, url }) => {
  const address = url.replace('127.0.0.1', 'insecure.test');
  const { ask } = await openHubPage(context, address, hub.endpoint, 'Here');
  const advice = [/this page/, /HTTPS/];
  await refused(ask('download', id), 'device', ...advice);
  await refused(ask('fingerprint', id), 'device', ...advice);
});
