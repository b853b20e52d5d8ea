/** Which file answers an address, and what is refused on its way from the host. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { download, fileFor, isVersion, type SiteFile } from './files.ts';

const content = 'the whole file';
const file: SiteFile = {
  path: 'assets/a.js',
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
};
const files = new Map(
  [file, { ...file, path: 'index.html' }, { ...file, path: 'photos.html' }].map((one) => [one.path, one]),
);

let answer: RequestListener;
let folder: string;
const server = createServer((request, response) => answer(request, response));
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, resolve));
  folder = `http://127.0.0.1:${(server.address() as AddressInfo).port}/site/`;
});
after(() => server.close());

test('addresses in the folder find their file, others none', () => {
  const found = (address: string) => fileFor(new URL(address, folder).href, folder, files)?.path;
  assert.equal(found('./'), 'index.html');
  assert.equal(found('./?from=elsewhere#learn'), 'index.html');
  assert.equal(found('photos'), 'photos.html');
  assert.equal(found('assets/a.js'), 'assets/a.js');
  assert.equal(found('assets/b.js'), undefined);
  assert.equal(found('/'), undefined);
  assert.equal(found('/site%2Fassets/a.js'), undefined);
  assert.equal(found('https://example.org/site/'), undefined);
});

test('a whole file is kept with its type, and known by its hash', async () => {
  answer = (_, response) => response.setHeader('content-type', 'text/javascript').end(content);
  const kept = await download(file, folder);
  assert.equal(kept.headers.get('content-type'), 'text/javascript');
  assert.ok(isVersion(kept, file));
  assert.ok(!isVersion(kept, { ...file, sha256: 'another' }));
  assert.equal(await kept.text(), content);
});

test('what is cut, changed or missing is refused', async () => {
  answer = (_, response) => response.end(content.slice(1));
  await assert.rejects(download(file, folder), /13 bytes instead of 14/);
  answer = (_, response) => response.end(content.toUpperCase());
  await assert.rejects(download(file, folder), /its hash differs/);
  answer = (_, response) => response.writeHead(404).end();
  await assert.rejects(download(file, folder), /answers 404/);
  answer = (_, response) => {
    response.writeHead(200, { 'content-length': '14' }).write('half');
    setTimeout(() => response.destroy(), 20);
  };
  await assert.rejects(download(file, folder));
});
