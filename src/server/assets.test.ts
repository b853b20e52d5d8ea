/** Files that come with the package, and nothing else. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Hono } from 'hono';
import { assetRoutes } from './assets.ts';
import { pageRoutes } from './page.ts';

let folder: string;
let app: Hono;
const script = 'console.log(1);'.repeat(100);
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-assets-'));
  const built = join(folder, 'web');
  await mkdir(join(built, 'assets'), { recursive: true });
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await writeFile(join(built, 'index.html'), '<!doctype html>');
  await writeFile(join(built, 'assets/index-Ab3_x-Z9.js'), script);
  await writeFile(join(built, 'large.css.gz'), gzipSync('a{}'.repeat(100)));
  app = pageRoutes(built);
});
after(() => rm(folder, { recursive: true }));

test('the page asks again, with a policy; what has a hash in its name stays', async () => {
  const page = await app.request('/');
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(page.headers.get('cache-control'), 'no-cache');
  assert.match(page.headers.get('content-security-policy')!, /script-src 'self';/);
  assert.doesNotMatch(page.headers.get('content-security-policy')!, /unsafe/);
  const asset = await app.request('/assets/index-Ab3_x-Z9.js');
  assert.equal(await asset.text(), script);
  assert.match(asset.headers.get('cache-control')!, /immutable/);
  const again = await app.request('/', { headers: { 'if-none-match': page.headers.get('etag')! } });
  assert.deepEqual([again.status, await again.text()], [304, '']);
});

test('packs what is smaller so, for clients that unpack', async () => {
  const headers = { 'accept-encoding': 'br, gzip' };
  const packed = await app.request('/assets/index-Ab3_x-Z9.js', { headers });
  assert.equal(packed.headers.get('content-encoding'), 'gzip');
  assert.equal(gunzipSync(await packed.arrayBuffer()).toString(), script);
  assert.equal((await app.request('/', { headers })).headers.get('content-encoding'), null);
  const plain = await app.request('/large.css');
  assert.deepEqual([plain.headers.get('content-encoding'), await plain.text()], [null, 'a{}'.repeat(100)]);
});

test('a page that has not changed keeps its policy', async () => {
  const etag = (await app.request('/')).headers.get('etag')!;
  const again = await app.request('/', { headers: { 'if-none-match': etag } });
  assert.equal(again.status, 304);
  assert.match(again.headers.get('content-security-policy')!, /script-src 'self'/);
});

test('no address leads out of the folder', async () => {
  for (const path of [
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '//secret.txt',
  ])
    assert.equal((await app.request(`http://localhost${path}`)).status, 404, path);
  assert.equal((await app.request('/assets')).status, 404);
});

test('without a build, the page says how to make one', async () => {
  const text = await (await pageRoutes(join(folder, 'none')).request('/')).text();
  assert.match(text, /npm run web/);
  assert.deepEqual(assetRoutes(join(folder, 'none')).routes, []);
});
