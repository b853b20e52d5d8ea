/** Images in shards in object storage: shown by one request for their own bytes, and only as they were indexed. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { connect } from '@lancedb/lancedb';
import { entry } from '../../../test/archives.ts';
import { update, writePicture } from '../../../test/pictures.ts';
import { credentials, S3Server } from '../../../test/s3-server.ts';
import { type Clip, loadClip } from '../../clip/index.ts';
import { type ImageIndex, imageBytes, openIndex } from '../../indexing/index.ts';
import { ServedImages } from './served-images.ts';

const server = new S3Server();
const served = new ServedImages(null);
const pictures: Buffer[] = [];
const shard = 's3://shop/sets/a.tar';
let clip: Clip;
let folder: string;

before(async () => {
  clip = await loadClip(join(import.meta.dirname, '../../../test/fixtures/tiny-clip'));
  folder = await mkdtemp(join(tmpdir(), 'lincir-members-'));
  for (let number = 0; number < 4; number += 1) {
    await writePicture(join(folder, `${number}.png`), number);
    pictures.push(await readFile(join(folder, `${number}.png`)));
  }
  Object.assign(process.env, credentials, { AWS_ENDPOINT_URL: await server.start() });
});
after(async () => {
  await served.close();
  await clip.dispose();
  server.close();
  for (const name of ['AWS_ENDPOINT_URL', ...Object.keys(credentials)]) delete process.env[name];
  await rm(folder, { recursive: true });
});

const packed = (some: readonly Buffer[], from = 0) =>
  Buffer.concat([...some.map((bytes, at) => entry(`${from + at}.png`, bytes)), Buffer.alloc(1024)]);
const put = (bytes: Buffer, day = 1) =>
  server.put('shop/sets/a.tar', bytes, new Date(Date.UTC(2026, 0, day)));
const scope = () => ({ signal: new AbortController().signal, deadline: performance.now() + 60_000 });
const original = async (index: ImageIndex, name: string) =>
  Buffer.from((await served.original((await index.find(`${shard}!/${name}`))!, index, scope())).bytes);

describe('a member of a shard in object storage', () => {
  beforeEach(() => put(packed(pictures.slice(0, 3))));

  test('is read alone, and not once the shard has other bytes there', async () => {
    const index = await openIndex('memory:', { access: 'write', clip });
    await update(index, clip, { images: [shard] });
    server.requests.length = 0;
    assert.deepEqual(await original(index, '1.png'), pictures[1]);
    const { memberOffset, size } = (await index.find(`${shard}!/1.png`))!;
    assert.deepEqual(
      server.requests.map(({ method, range }) => [method, range]),
      [
        ['HEAD', undefined],
        ['GET', `bytes=${memberOffset}-${memberOffset! + size - 1}`],
      ],
    );
    const thumbnail = await served.thumbnail((await index.find(`${shard}!/2.png`))!, index, 64, scope());
    assert.equal(thumbnail.type, 'image/jpeg');
    assert.deepEqual(Buffer.from(await imageBytes(`${shard}!/2.png`, index)), pictures[2]);

    const refusals = [
      packed([pictures[0]!, pictures[2]!, pictures[1]!]),
      packed([pictures[0]!]),
      packed([pictures[3]!, pictures[3]!, pictures[3]!]),
    ];
    for (const bytes of refusals) {
      put(bytes, 2);
      await assert.rejects(original(index, '1.png'), /found another one, or one that has changed/);
      await assert.rejects(imageBytes(`${shard}!/1.png`, index), /found that its shard has changed/);
    }
    put(packed([pictures[3]!, pictures[0]!, pictures[1]!], 0), 3);
    await update(index, clip, { images: [shard] });
    assert.deepEqual(await original(index, '2.png'), pictures[1]);
    await index.close();
  });

  test('is shown by an index of an earlier version once its contents were compared', async () => {
    const uri = join(folder, 'earlier.lance');
    const open = () => openIndex(uri, { access: 'write', clip });
    let index = await open();
    await update(index, clip, { images: [shard] });
    await index.close();
    const database = await connect(uri);
    const [name] = (await database.tableNames()).filter((table) => table.startsWith('pictures'));
    await (await database.openTable(name!)).dropColumns(['memberOffset']);
    database.close();
    const reader = await openIndex(uri);
    await assert.rejects(original(reader, '1.png'), /without the place of its images; index the shard again/);
    await reader.close();
    index = await open();
    assert.deepEqual(await update(index, clip, { images: [shard] }), { unchanged: 3 });
    assert.deepEqual(await update(index, clip, { images: [shard], compare: 'contents' }), { unchanged: 3 });
    assert.deepEqual(await original(index, '1.png'), pictures[1]);
    await index.close();
  });
});
