/** Writing in bulk: what is sent again, what is told, and what may be repeated. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FakeRequest, nodesOfTests } from '../../../test/fake-cluster.ts';
import { type Change, write } from './writing.ts';

const { clusterOf, started } = nodesOfTests();

describe('writing in bulk', () => {
  const changes = (count: number): Change[] =>
    Array.from({ length: count }, (_, at) => {
      return { action: 'index', index: 'x.write', id: `${at}`, document: { at }, name: `/image ${at}.png` };
    });
  const idsOf = ({ body }: FakeRequest) =>
    body
      .split('\n')
      .filter((line) => line.startsWith('{"index"'))
      .map((line): string => JSON.parse(line).index._id);
  const done = { index: { status: 201 } };
  const refused = (status: number, type: string, reason: string) => ({
    index: { status, error: { type, reason } },
  });

  test('sends again what there was no room for, and that alone', async () => {
    const sent: string[][] = [];
    const cluster = await clusterOf((request) => {
      const ids = idsOf(request);
      sent.push(ids);
      const busy = refused(429, 'rejected_execution_exception', 'rejected execution of primary operation');
      return { body: { items: ids.map((id) => (sent.length <= 2 && Number(id) % 2 === 1 ? busy : done)) } };
    });
    await write(cluster, changes(5), async () => {});
    assert.deepEqual(sent, [
      ['0', '1', '2', '3', '4'],
      ['1', '3'],
      ['1', '3'],
    ]);
    assert.ok(
      started()[0]!
        .requests.slice(1)
        .every(({ path }) => path.includes('require_alias=true')),
    );
    await cluster.close();
  });

  test('names what is refused when the others are written', async () => {
    const cluster = await clusterOf((request) => {
      const bad = refused(400, 'mapper_parsing_exception', 'failed to parse field [size]');
      return { body: { items: idsOf(request).map((id) => (id === '3' ? bad : done)) } };
    });
    await assert.rejects(
      write(cluster, changes(5), async () => {}),
      /"\/image 3.png": expected an image that the cluster takes, found .*failed to parse field \[size\]/,
    );
    await cluster.close();
  });

  test('says that a disk is full, or a copy is missing, after it has waited', async () => {
    for (const [item, expected] of [
      [
        refused(429, 'cluster_block_exception', 'disk usage exceeded flood-stage watermark'),
        /disk of a node is full/,
      ],
      [
        refused(503, 'unavailable_shards_exception', 'Not enough active copies to meet shard count of [2]'),
        /too few copies/,
      ],
    ] as const) {
      const cluster = await clusterOf((request) => ({ body: { items: idsOf(request).map(() => item) } }));
      await assert.rejects(
        write(cluster, changes(2), async () => {}),
        expected,
      );
      await cluster.close();
    }
  });

  test('may be repeated when the answer got lost, and stops when the lease is lost', async () => {
    const written: string[] = [];
    let asked = 0;
    const cluster = await clusterOf((request) => {
      written.push(...idsOf(request));
      asked += 1;
      return asked === 1
        ? 'cut'
        : asked === 2
          ? 'silent'
          : { body: { items: idsOf(request).map(() => done) } };
    });
    let checks = 0;
    await write(cluster, changes(2), async () => {
      checks += 1;
    });
    assert.deepEqual([written, checks], [['0', '1', '0', '1', '0', '1'], 3]);
    asked = 0;
    const lost = write(cluster, changes(2), async () => {
      if (asked > 0) throw new RangeError('lost');
    });
    await assert.rejects(lost, RangeError);
    assert.equal(asked, 1);
    await cluster.close();
  });
});
