/** Object storage: signed requests, listings, ranges, and what happens when a server fails. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { entry } from '../../../test/archives.ts';
import { credentials, type Fault, S3Server } from '../../../test/s3-server.ts';
import { indexedBytes } from '../bytes.ts';
import type { FoundImage, Unreadable } from '../files.ts';
import { shardImages } from '../shards.ts';
import { openSources } from '../sources.ts';
import { knownS3Bytes, s3Bytes, s3Images, s3Source } from './images.ts';
import { s3Listing } from './listing.ts';
import { S3Object, s3Facts } from './object.ts';

const server = new S3Server();
let folder: string;
const names = ['AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_SESSION_TOKEN', ...Object.keys(credentials)];
const kept = Object.fromEntries(names.map((name) => [name, process.env[name]]));
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-s3-'));
  Object.assign(process.env, { AWS_ENDPOINT_URL: await server.start(), AWS_REGION: 'eu-west-1' });
});
after(async () => {
  server.close();
  for (const name of names) {
    if (kept[name] === undefined) delete process.env[name];
    else process.env[name] = kept[name];
  }
  await rm(folder, { recursive: true });
});

/** A bucket of its own for each test, since connections remember. */
let buckets = 0;
let bucket: string;
beforeEach(() => {
  buckets += 1;
  bucket = `bucket-${buckets}`;
  Object.assign(process.env, credentials);
  server.requests.length = 0;
  server.keysPerPage = 1000;
  server.fault = () => undefined;
});

const failing = (...faults: (Fault | undefined)[]) => {
  server.fault = () => faults.shift();
};
const noise = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 7919) >> 3);
const collected = async (images: AsyncIterable<FoundImage>) => await Array.fromAsync(images);

describe('object storage', { concurrency: false }, () => {
  test('lists all pages, whatever the keys', async () => {
    const keys = ['a b+c.jpg', "é/it's (1)*!.png", 'x&y=z?#.png', 'z//double.png', '100%.png', '日本.tar'];
    for (const key of keys) server.put(`${bucket}/in/${key}`, key);
    server.put(`${bucket}/other.png`, 'o');
    server.keysPerPage = 2;
    process.env.AWS_SESSION_TOKEN = 'token/+=';
    const found = await Array.fromAsync(s3Listing(`s3://${bucket}/in/`));
    delete process.env.AWS_SESSION_TOKEN;
    assert.deepEqual(
      found.map(({ name }) => name).sort(),
      keys.map((key) => `s3://${bucket}/in/${key}`).sort(),
    );
    assert.equal(server.requests.length, 3);
    for (const { name, size, etag, modified } of found) {
      const facts = await s3Facts(name);
      assert.deepEqual([facts.size, facts.etag, facts.modified], [size, etag, modified]);
      assert.equal(Buffer.from(await new S3Object(facts).readAll()).toString(), name.split('/in/')[1]);
    }
    assert.ok(server.requests.every(({ region }) => region === 'eu-west-1'));
  });

  test('sends what is public without a signature', async () => {
    for (const name of Object.keys(credentials)) delete process.env[name];
    server.put(`${bucket}/a.png`, 'image');
    assert.equal(Buffer.from(await s3Bytes(`s3://${bucket}/a.png`)).toString(), 'image');
    assert.ok(server.requests.every(({ region }) => region === undefined));
    failing({ status: 403, code: 'AccessDenied' });
    await assert.rejects(
      s3Facts(`s3://${bucket}/a.png`),
      /expected permission to read it.*; set AWS_ACCESS_KEY_ID/,
    );
  });

  test('goes on where a connection was cut, and repeats what may pass', async () => {
    const bytes = noise(100_000);
    server.put(`${bucket}/a.bin`, bytes);
    const facts = await s3Facts(`s3://${bucket}/a.bin`);
    failing({ status: 503, code: 'SlowDown' }, { cutAfter: 30_000 }, { cutAfter: 0 }, undefined);
    const read = await new S3Object(facts).read(10, 90_000);
    assert.deepEqual(read, Uint8Array.from(bytes.subarray(10, 90_010)));
    const ranges = server.requests.flatMap(({ range }) => range ?? []);
    assert.equal(ranges.length, 4);
    const from = ranges.map((range) => Number(/\d+/.exec(range)![0]));
    assert.deepEqual(from.slice(0, 2), [0, 0]);
    assert.ok(from[2]! > 0 && from[3] === from[2], `${ranges}`);
  });

  test('finds the region of a bucket that lies elsewhere', async () => {
    server.put(`${bucket}/a.png`, 'image');
    server.fault = ({ region }) =>
      region === 'eu-west-1'
        ? { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'us-west-2' } }
        : undefined;
    assert.equal((await s3Facts(`s3://${bucket}/a.png`)).size, 5);
    assert.deepEqual(
      server.requests.map(({ region }) => region),
      ['eu-west-1', 'us-west-2'],
    );
  });

  test('checks the environment before it asks', async () => {
    const { AWS_ENDPOINT_URL, AWS_SECRET_ACCESS_KEY } = process.env;
    process.env.AWS_ENDPOINT_URL = '127.0.0.1:9000';
    const address = `s3://${bucket}/a.png`;
    const wrong = { code: 'bad-argument', message: /^AWS_ENDPOINT_URL: expected an address with http/ };
    await assert.rejects(s3Facts(address), wrong);
    process.env.AWS_ENDPOINT_URL = AWS_ENDPOINT_URL;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    const half = { code: 'bad-argument', message: /expected both AWS_ACCESS_KEY_ID and AWS_SECRET_ACC/ };
    await assert.rejects(s3Facts(`s3://${bucket}-half/a.png`), half);
    process.env.AWS_SECRET_ACCESS_KEY = AWS_SECRET_ACCESS_KEY;
    for (const other of ['gs://b/x', 'az://b/x', 's3:/b/x']) {
      await assert.rejects(
        openSources([other], { onUnreadable: () => {} }),
        /sources in other storage are not read/,
      );
    }
  });

  test('says what is refused, missing, expired or changed', async () => {
    const address = `s3://${bucket}/a.png`;
    await assert.rejects(s3Facts(address), /a\.png: expected it in object storage, found HTTP status 404/);
    await assert.rejects(
      s3Source(`s3://${bucket}/none`),
      /expected an object, or objects below this address/,
    );
    for (const wrong of ['s3://', 's3:///key', 's3://b/../c', 's3://a b/c']) {
      await assert.rejects(s3Source(wrong), /expected s3:\/\/BUCKET\/KEY/, wrong);
    }
    await assert.rejects(s3Source('s3://b/photos/'), /with 3 to 63 letters.*found the bucket "b"/);
    server.put(`${bucket}/a.png`, 'image');
    failing({ status: 403, code: 'AccessDenied' });
    await assert.rejects(s3Facts(address), /expected permission to read it.*; check the credentials in/);
    failing({ status: 400, code: 'ExpiredToken' });
    await assert.rejects(
      s3Facts(address),
      /found HTTP status 400; check .* whether the credentials have expired/,
    );
    const known = await s3Facts(address);
    failing({ status: 400, code: 'ExpiredToken' });
    const expired = /expected credentials that are valid, found HTTP status 400 ExpiredToken; get new/;
    await assert.rejects(new S3Object(known).readAll(), expired);
    server.put(`${bucket}/a.png`, 'other');
    await assert.rejects(new S3Object(known).readAll(), /does not change while it is read/);
    assert.equal(await knownS3Bytes(address, undefined, { size: 4 }), undefined);
    await assert.rejects(indexedBytes(`s3://${bucket}/a.tar!/m.png`), /found a member of a shard in object/);
  });

  test('has the images of a shard that a folder has, read once and in order', async () => {
    const members: Buffer[] = [];
    for (let at = 0; at < 40; at += 1) {
      members.push(entry(`${at}.jpg`, noise(1000 * at + 1)), entry(`${at}.txt`, 'caption'));
    }
    members.push(entry('hard.jpg', '', 'Link', '3.jpg'), entry('soft.jpg', '', 'SymbolicLink', './4.jpg'));
    const bytes = Buffer.concat([...members, Buffer.alloc(1024)]);
    const local = join(folder, 'a.tar');
    await writeFile(local, bytes);
    server.put(`${bucket}/sets/a.tar`, bytes);
    const unreadable: Unreadable[] = [];
    const options = { followLinks: true, onUnreadable: (one: Unreadable) => unreadable.push(one) };
    const source = await s3Source(`s3://${bucket}/sets`);
    server.requests.length = 0;
    const there = await collected(s3Images(source, options));
    const read = await Promise.all(there.map(({ load }) => load!()));
    assert.deepEqual(
      server.requests.map(({ method }) => method),
      ['GET', 'GET'], // the list and the one block
    );
    const here = await collected(shardImages(local, options));
    const facts = ({ path, size, offset }: FoundImage) => [path.split('a.tar')[1], size, offset];
    assert.deepEqual(there.map(facts), here.map(facts));
    for (const [at, { offset, size }] of here.entries()) {
      assert.deepEqual(Buffer.from(read[at]!), bytes.subarray(offset, offset! + size));
    }
    server.put(`${bucket}/sets/a.tar`, bytes.subarray(0, 200_000));
    const some = await collected(s3Images(await s3Source(`s3://${bucket}/sets/`), options));
    assert.ok(some.length > 5 && some.length < 40);
    assert.match(unreadable[0]!.reason, /the archive is cut short/);
    assert.equal(unreadable[0]!.path, `s3://${bucket}/sets/a.tar`);
  });

  test('is one source among others: images and shards below a prefix', async () => {
    server.put(`${bucket}/p/a.jpg`, 'a');
    server.put(`${bucket}/p/.hidden/b.jpg`, 'b');
    server.put(`${bucket}/p/c.txt`, 'c');
    server.put(`${bucket}/p/s.tar`, Buffer.concat([entry('m.png', 'm'), Buffer.alloc(1024)]));
    server.put(`${bucket}/q.jpg`, 'q');
    const sources = await openSources(
      [`s3://${bucket}/p`, `S3://${bucket}/q.jpg`, `s3://${bucket}/p/s.tar`],
      {
        onUnreadable: ({ reason }) => assert.fail(reason),
      },
    );
    const paths = (await collected(sources.pictures())).map(({ path }) => path.slice(bucket.length + 6));
    assert.deepEqual(paths, ['p/a.jpg', 'p/s.tar!/m.png', 'q.jpg']);
    assert.equal(sources.covering(`s3://${bucket}/p/gone.tar!/x.png`), `s3://${bucket}/p/`);
    assert.equal(sources.covering(`s3://${bucket}/q.jpg`), `s3://${bucket}/q.jpg`);
    assert.equal(sources.covering(`s3://${bucket}/other.jpg`), undefined);
  });
});
