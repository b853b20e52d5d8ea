/** Attacks by files: links that lead out, files that are swapped after indexing, and names that want to be code. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { loadClip } from '../../src/clip/index.ts';
import { openIndex } from '../../src/indexing/index.ts';
import { update, writePicture } from '../pictures.ts';
import { type PlaceToServe, tinyModel } from '../served.ts';
import { type Target, target } from './target.ts';

const posix = { skip: process.platform === 'win32' && 'Windows has no such names and links' };

/** Names that would do something where they are not told from code. */
const hostileNames = [
  '<img src=x onerror=alert(1)>.png',
  '"><svg onload=alert(1)>.png',
  "';alert(1);'.png",
  '{{7*7}}.png',
  'a\r\nSet-Cookie: hacked=1\r\n\r\n<b>.png',
  'a"; filename=evil.html; x=".png',
  '\u202Egnp.exe.png',
  'javascript:alert(1).png',
  '%2e%2e%2fetc%2fpasswd.png',
  '$(touch hacked).png',
  'é\u0301\u{1F98A}\u2028\u0007.png',
  `${'n'.repeat(250)}.png`,
];

/** Images to be attacked, in their own folder each. */
const attacked = ['swapped', 'linked', 'folder', 'pipe', 'zero', 'directory', 'gone', 'grown'] as const;

let one: Target;
const idOf = new Map<string, string>();
before(async () => {
  one = await target({ args: ['--knn-service'], prepare });
});
after(() => one.stop());

async function prepare({ uri, photos }: PlaceToServe): Promise<void> {
  const outside = join(photos, '..', 'outside');
  await mkdir(outside);
  await writePicture(join(outside, 'secret.png'), 90);
  await writePicture(join(outside, 'other.png'), 91);
  const hostile = join(photos, 'hostile');
  await mkdir(hostile);
  for (const [at, name] of hostileNames.entries()) await writePicture(join(hostile, name), 100 + at);
  for (const [at, name] of attacked.entries()) {
    await mkdir(join(photos, name));
    await writePicture(join(photos, name, 'a.png'), 200 + at);
  }
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><script>alert(1)</script><circle r="9"/></svg>';
  await writeFile(join(photos, 'drawing.svg'), svg);
  const png = await readFile(join(photos, '0.png'));
  await writeFile(
    join(photos, 'page.png'),
    Buffer.concat([png, Buffer.from('<html><script>alert(1)</script>')]),
  );
  await symlink(join(outside, 'secret.png'), join(photos, 'link.png'));
  const clip = await loadClip(tinyModel);
  const index = await openIndex(uri, { access: 'write', clip });
  try {
    await update(index, clip, { images: [photos], followLinks: true });
    const paths = [
      ...hostileNames.map((name) => `hostile/${name}`),
      ...attacked.map((name) => `${name}/a.png`),
      ...['drawing.svg', 'page.png', 'link.png', '0.png'],
    ];
    for (const path of paths) {
      const found = await index.find(join(photos, path));
      if (found) idOf.set(path, found.id);
    }
  } finally {
    await index.close();
    await clip.dispose();
  }
}

const photos = () => one.place.photos;
const address = (id: string, end: string) => new URL(`api/v1/indexes/photos/images/${id}/${end}`, one.url);
const idAt = (path: string) => idOf.get(path) ?? assert.fail(`no image at ${path}`);

/** The original, and a thumbnail that is not kept. */
async function asked(path: string) {
  const id = idAt(path);
  return await Promise.all(['original', 'thumbnail?size=160'].map((end) => fetch(address(id, end))));
}

async function expectRefused(path: string): Promise<void> {
  for (const answer of await asked(path)) {
    const text = await answer.text();
    assert.ok([404, 422].includes(answer.status), `${path}: ${answer.status} ${text}`);
    // Of places, the answer tells nothing.
    assert.doesNotMatch(text, /outside|\/dev|root:/);
  }
  await one.expectWell();
}

describe('what is not the indexed file is not sent', posix, () => {
  test('a link that leads out of the folder', async () => {
    await expectRefused('link.png');
  });

  test('another file in its place', async () => {
    await copyFile(join(photos(), '../outside/other.png'), join(photos(), 'swapped/a.png'));
    await expectRefused('swapped/a.png');
  });

  test('a link in its place', async () => {
    await rm(join(photos(), 'linked/a.png'));
    await symlink('/etc/passwd', join(photos(), 'linked/a.png'));
    await expectRefused('linked/a.png');
  });

  test('a link in place of its folder', async () => {
    await rename(join(photos(), 'folder'), join(photos(), '../moved'));
    await mkdir(join(photos(), '../outside/folder'));
    await copyFile('/etc/hostname', join(photos(), '../outside/folder/a.png'));
    await symlink(join(photos(), '../outside/folder'), join(photos(), 'folder'));
    await expectRefused('folder/a.png');
  });

  test('a pipe, a device, or a folder in its place', async () => {
    for (const name of ['pipe', 'zero', 'directory']) await rm(join(photos(), name, 'a.png'));
    await promisify(execFile)('mkfifo', [join(photos(), 'pipe/a.png')]);
    await symlink('/dev/zero', join(photos(), 'zero/a.png'));
    await mkdir(join(photos(), 'directory/a.png'));
    for (const name of ['pipe', 'zero', 'directory']) await expectRefused(`${name}/a.png`);
  });

  test('nothing in its place, or more than there was', async () => {
    await rm(join(photos(), 'gone/a.png'));
    await expectRefused('gone/a.png');
    const path = join(photos(), 'grown/a.png');
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.alloc(1000)]));
    await expectRefused('grown/a.png');
  });
});

test('no original can run', async () => {
  const [drawing] = await asked('drawing.svg');
  assert.equal(drawing!.headers.get('content-type'), 'image/png');
  assert.ok(!Buffer.from(await drawing!.arrayBuffer()).includes('script'));
  for (const path of ['page.png', '0.png', 'drawing.svg']) {
    for (const { status, headers } of await asked(path)) {
      assert.equal(status, 200);
      assert.match(headers.get('content-type')!, /^image\/(png|jpeg)$/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
    }
    const [original] = await asked(path);
    assert.match(original!.headers.get('content-security-policy')!, /^sandbox/);
  }
});

describe('hostile names', posix, () => {
  test('are data in JSON and in headers', async () => {
    for (const name of hostileNames) {
      const id = idAt(`hostile/${name}`);
      const facts = await fetch(address(id, '').href.slice(0, -1));
      assert.equal(facts.headers.get('content-type'), 'application/json', name);
      assert.equal(facts.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(((await facts.json()) as { path: string }).path.split('/').at(-1), name);
      const original = await fetch(address(id, 'original'));
      assert.equal(original.status, 200, name);
      assert.deepEqual(
        [original.headers.get('set-cookie'), original.headers.get('content-type')],
        [null, 'image/png'],
      );
      const disposition = original.headers.get('content-disposition')!;
      assert.match(disposition, /^inline; filename="[\w .()-]+"; filename\*=UTF-8''[\w.%!~-]+$/, disposition);
    }
  });

  test('are quoted for assistants, on one line', async () => {
    const search = {
      name: 'search_images',
      arguments: { text: 'a', limit: 20, filter: "path like '%/hostile/%'" },
    };
    const answer = await one.post(
      'mcp',
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: search }),
    );
    const [, data] = /^data: ([^\n]*)/m.exec(await answer.text())!;
    const { content } = JSON.parse(data!).result as {
      content: { type: string; text: string; name: string }[];
    };
    const text = content[0]!.text;
    assert.equal(text.split('\n').length, hostileNames.length + 1, text);
    assert.doesNotMatch(text, /[^\P{C}\n]/u);
    const links = content.filter(({ type }) => type === 'resource_link');
    assert.equal(links.length, hostileNames.length);
    for (const { name } of links) assert.doesNotMatch(name, /\p{C}|\//u);
  });

  test("are data for clip-retrieval's clients", async () => {
    const body = { text: 'a', modality: 'image', num_images: 30, indice_name: '' };
    const answer = await one.post('knn-service', JSON.stringify(body));
    assert.match(answer.headers.get('content-type')!, /^application\/json/);
    const found = (await answer.json()) as { url: string }[];
    assert.ok(found.length > hostileNames.length);
    for (const { url } of found) assert.ok(url.startsWith(one.url), url);
  });
});
