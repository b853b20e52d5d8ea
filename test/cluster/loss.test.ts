/** That the loss of a node loses nothing that was acknowledged, and fails no search. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { create, newClusterIndex, open, picture, skipsCluster, some } from '../stores.ts';

const pids = process.env.LINCIR_TEST_OPENSEARCH_PIDS;
const skip =
  skipsCluster || (pids === undefined && 'LINCIR_TEST_OPENSEARCH_PIDS names no nodes that may be killed');
const imagesPerCall = 50;
/** Milliseconds. Adding waits until lost copies are made anew, after 15 s. */
const before = 3_000;
const after = 10_000;

describe('a store in OpenSearch that loses a node', { skip }, () => {
  test('has all that was acknowledged, each image once, and answers all the time', async () => {
    const uri = newClusterIndex();
    const store = await create(uri);
    const reader = await open(uri);
    const acknowledged: string[] = [];
    let searches = 0;
    let addedAfter = 0;
    let killed: number | undefined;
    const isOver = () => killed !== undefined && addedAfter > 0 && performance.now() > killed + after;
    const adding = async () => {
      for (let number = 0; !isOver(); number += imagesPerCall) {
        const images = some(imagesPerCall, number);
        const begun = performance.now();
        await store.add(images);
        if (number % 500 === 0) await store.commit();
        acknowledged.push(...images.map(({ id }) => id));
        if (killed !== undefined && begun > killed) addedAfter += images.length;
      }
    };
    const searching = async () => {
      for (; !isOver(); searches += 1) {
        const known = acknowledged.length > 1000;
        const hits = await reader.search({ vector: picture(searches % 1000).vector, limit: 5 });
        if (known) assert.equal(hits.length, 5);
      }
    };
    const killing = async () => {
      await pause(before);
      process.kill(Number(pids!.split(',').at(-1)), 'SIGKILL');
      killed = performance.now();
    };
    await Promise.all([adding(), searching(), searching(), killing()]);
    assert.ok(searches > 20, `${searches} searches`);
    await store.commit();
    const found = await reader.lookUp('id', acknowledged);
    assert.equal(new Set(found.map(({ id }) => id)).size, acknowledged.length);
    assert.equal(found.length, acknowledged.length);
    assert.equal(await reader.count(), acknowledged.length);
    await reader.close();
    await store.close();
  });
});
