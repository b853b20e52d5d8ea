/** What the page's build makes: small, and with nothing that the page's policy forbids. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

let folder: string;
const files = new Map<string, string>();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-web-'));
  await build({ configFile: join(import.meta.dirname, 'vite.config.ts'), build: { outDir: folder } });
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (/\.\w+$/.test(name)) files.set(name, readFileSync(join(folder, name), 'utf8'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('the script is at most 60 kB, compressed', () => {
  const sizes = [...files].filter(([name]) => name.endsWith('.js')).map(([, text]) => gzipSync(text).length);
  assert.ok(sizes.length > 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total <= 60_000, `${total} bytes`);
});

test('nothing is inline, and nothing comes from elsewhere', () => {
  const page = files.get('index.html')!;
  assert.match(page, /<script type="module"[^>]* src="\.\/assets\//);
  for (const [tag] of page.matchAll(/<(?:script|link)\b[^>]*>/g)) assert.match(tag, /(?:src|href)="\.\//);
  assert.doesNotMatch(page, /<style| style=| on\w+=|<script[^>]*>[^<]/);
  for (const [name, text] of files) {
    const addresses = [...text.matchAll(/(?:https?:)?\/\/[\w.-]+\.[a-z]{2,}[^\s"'`)]*/g)].map(
      ([address]) => address,
    );
    const foreign = addresses.filter((address) => !address.startsWith('http://www.w3.org/'));
    assert.deepEqual(foreign, [], name);
    assert.doesNotMatch(text, /\beval\(|new Function\(/, name);
  }
});

test('names from data are text: no part of the page writes HTML', () => {
  const source = join(import.meta.dirname, 'src');
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(name)) continue;
    const text = readFileSync(join(source, name), 'utf8');
    assert.doesNotMatch(
      text,
      /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write/,
      name,
    );
  }
});

test('files of the page say what they are for, and stay short', () => {
  const source = join(import.meta.dirname, 'src');
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(tsx?|css)$/.test(name)) continue;
    const text = readFileSync(join(source, name), 'utf8');
    assert.match(text, /^\/\*\*? /, name);
    if (!name.endsWith('.css')) assert.ok(text.split('\n').length <= 401, name);
  }
});
