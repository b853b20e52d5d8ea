/** The files for containers: what they name exists, and the health check tells a server that is ready from others. */

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lincir } from '../command-line.ts';

const root = join(import.meta.dirname, '../..');
const read = (name: string) => readFile(join(root, name), 'utf8');

/** What the image does not need. */
const outside = ['biome.json', 'bench', 'container', 'test', 'Dockerfile', 'compose.yaml'];

test('the image is built from all that it needs, and from nothing else that may lie there', async () => {
  const lines = (await read('.dockerignore')).split('\n');
  assert.equal(
    lines.find((line) => line && !line.startsWith('#')),
    '*',
  );
  const taken = lines.flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
  for (const name of taken) assert.ok(existsSync(join(root, name)), name);
  const { files }: { files: string[] } = JSON.parse(await read('package.json'));
  const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n');
  const names = new Set(tracked.flatMap((path) => path.split('/')[0] || []));
  for (const name of names) {
    if (name.startsWith('.')) continue;
    assert.ok(taken.includes(name) !== outside.includes(name), `${name}: take it into the image, or not`);
  }
  for (const name of files) {
    if (name.startsWith('!') || name === 'dist') continue;
    assert.ok(
      taken.some((part) => part === name || name.startsWith(`${part}/`)),
      name,
    );
  }
  for (const [, names] of (await read('Dockerfile')).matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
    for (const name of names!.split(' ')) assert.ok(existsSync(join(root, name)), name);
  }
});

test('compose gives options that serve has', async () => {
  const options = [...(await read('compose.yaml')).matchAll(/^ {6}- (--[\w-]+)/gm)].map(
    ([, option]) => option!,
  );
  assert.ok(options.length >= 5);
  const { stdout } = await lincir(['serve', '--help'], { folder: root });
  for (const option of options) assert.match(stdout, new RegExp(`^ +${option} `, 'm'));
});

test('the health check passes for a server that is ready, with its key', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-health-'));
  const keys = join(folder, 'keys.txt');
  await writeFile(keys, 'first-key-0123456789\nsecond-key-0123456789\n');
  let status = 200;
  const server = createServer(({ url, headers }, response) => {
    const isKnown = url === '/health/ready' && headers.authorization === 'Bearer first-key-0123456789';
    response.writeHead(isKnown ? status : 401).end(isKnown ? 'as told' : 'no');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const check = (LINCIR_KEYS: string, LINCIR_PORT = `${port}`) =>
    new Promise<[code: number, told: string]>((resolve) => {
      const env = { ...process.env, LINCIR_API_KEY: '', LINCIR_KEYS, LINCIR_PORT };
      const child = execFile(process.execPath, [join(root, 'container/health.mjs')], { env }, (_, stdout) =>
        resolve([child.exitCode!, stdout.trim()]),
      );
    });
  try {
    assert.deepEqual(await check(keys), [0, 'as told']);
    assert.deepEqual(await check(join(folder, 'none')), [1, 'no']);
    status = 503;
    assert.deepEqual(await check(keys), [1, 'as told']);
    const [code, told] = await check(keys, '9');
    assert.equal(code, 1, told);
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
});
