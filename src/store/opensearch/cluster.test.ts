/** What goes wrong with credentials, connections and clusters, each told in one clear line. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import {
  authority,
  type FakeAnswer,
  failure,
  greeting,
  nodesOfTests,
  soon,
} from '../../../test/fake-cluster.ts';
import { Cluster } from './cluster.ts';
import { refresh, search } from './reading.ts';

const secret = 'pass word/1';
const { start, clusterOf, started } = nodesOfTests();

describe('credentials', () => {
  const encrypted = (port: number) => `opensearch+https://localhost:${port}/photos`;

  test('are sent to whom the authority vouches for, and are in no error', async () => {
    const denied = failure(403, 'security_exception', 'no permissions for [indices:admin/get]');
    const { port, requests } = await start(({ path }) => (path === '/' ? greeting : denied), 'node');
    process.env.LINCIR_OPENSEARCH_CA = authority;
    process.env.LINCIR_OPENSEARCH_USER = 'me';
    process.env.LINCIR_OPENSEARCH_PASSWORD = secret;
    const cluster = await Cluster.connect(encrypted(port), soon);
    assert.equal(requests[0]!.authorization, `Basic ${Buffer.from(`me:${secret}`).toString('base64')}`);
    await assert.rejects(cluster.request({ method: 'GET', path: '/photos' }), (error: Error) => {
      assert.match(error.message, /found that the user may not do this; give the user the permissions/);
      const all = inspect(error, { depth: Number.POSITIVE_INFINITY });
      assert.ok(!all.includes(secret) && !all.includes(Buffer.from(`me:${secret}`).toString('base64')));
      return true;
    });
    await cluster.close();
    delete process.env.LINCIR_OPENSEARCH_USER;
    delete process.env.LINCIR_OPENSEARCH_PASSWORD;
    process.env.LINCIR_OPENSEARCH_API_KEY = 'os_key';
    await (await Cluster.connect(encrypted(port), soon)).close();
    assert.equal(requests.at(-1)!.authorization, 'ApiKey os_key');
  });

  test('that are wrong, half or in the clear are refused', async () => {
    const { port, requests } = await start(() => ({ status: 401, body: 'Unauthorized' }), 'node');
    process.env.LINCIR_OPENSEARCH_CA = authority;
    await assert.rejects(
      Cluster.connect(encrypted(port)),
      /does not accept the credentials, or that there are none/,
    );
    assert.equal(requests.length, 1);
    process.env.LINCIR_OPENSEARCH_USER = 'me';
    await assert.rejects(Cluster.connect(encrypted(port)), /expected both LINCIR_OPENSEARCH_USER and/);
    process.env.LINCIR_OPENSEARCH_PASSWORD = secret;
    await assert.rejects(Cluster.connect(`opensearch://localhost:${port}/x`), /would send them unencrypted/);
    process.env.LINCIR_OPENSEARCH_API_KEY = 'os_key';
    await assert.rejects(Cluster.connect(encrypted(port)), /found both/);
    process.env.LINCIR_OPENSEARCH_CA = '/none such';
    delete process.env.LINCIR_OPENSEARCH_API_KEY;
    await assert.rejects(Cluster.connect(encrypted(port)), { code: 'not-found' });
    assert.equal(requests.length, 1);
  });

  test('go to nobody with a certificate that is expired, unknown or of another host', async () => {
    const good = await start(() => greeting, 'node');
    await assert.rejects(
      Cluster.connect(encrypted(good.port)),
      /set LINCIR_OPENSEARCH_CA to the file of the authority/,
    );
    process.env.LINCIR_OPENSEARCH_CA = authority;
    const expired = await start(() => greeting, 'expired');
    await assert.rejects(
      Cluster.connect(encrypted(expired.port)),
      /certificate has expired, or is not valid yet/,
    );
    const other = `opensearch+https://127.0.0.1:${good.port}/x`;
    await assert.rejects(Cluster.connect(other), /a certificate for another host/);
    const plain = await start(() => greeting);
    await assert.rejects(
      Cluster.connect(encrypted(plain.port)),
      /check the port, and whether the address begins with/,
    );
    assert.equal(good.requests.length + expired.requests.length + plain.requests.length, 0);
  });
});

test('a cluster that is away, of another kind or too old is told', async () => {
  await assert.rejects(
    Cluster.connect('opensearch://127.0.0.1:9/x'),
    /found no answer from any node; check the address/,
  );
  await assert.rejects(Cluster.connect('opensearch://no.such.host.invalid/x'), /found no host of that name/);
  const old = await start(() => ({ body: { version: { number: '2.19.1', distribution: 'opensearch' } } }));
  await assert.rejects(
    Cluster.connect(`opensearch://127.0.0.1:${old.port}/x`),
    /expected OpenSearch 3 or newer, found "opensearch 2.19.1"/,
  );
  const elastic = await start(() => ({ body: { version: { number: '9.1.0' } } }));
  await assert.rejects(
    Cluster.connect(`opensearch://127.0.0.1:${elastic.port}/x`),
    /found "another program of version 9/,
  );
  const page = await start(() => ({ body: '<html>' }));
  await assert.rejects(Cluster.connect(`opensearch://127.0.0.1:${page.port}/x`), { name: 'LincirError' });
});

test('an unknown host does not hide the others, and each address is told with its reason', async () => {
  const { port } = await start(() => greeting);
  for (const hosts of [`no.such.host.invalid,127.0.0.1:${port}`, `127.0.0.1:${port},no.such.host.invalid`]) {
    await (await Cluster.connect(`opensearch://${hosts}/x`, soon)).close();
  }
  await assert.rejects(
    Cluster.connect('opensearch://no.such.host.invalid,127.0.0.1:9/x'),
    (error: Error) =>
      /no.such.host.invalid:9200 \(/.test(error.message) && /127.0.0.1:9 \(/.test(error.message),
  );
  const web = await start(() => ({ status: 404, body: 'Not Found' }));
  const other = `opensearch://127.0.0.1:${web.port}/x`;
  await assert.rejects(
    Cluster.connect(other),
    /expected OpenSearch, found that another program answers there/,
  );
});

test('what a cluster refuses is told, and what may pass is tried again', async () => {
  const cases: [FakeAnswer, RegExp][] = [
    [
      failure(503, 'search_phase_execution_exception', 'all shards failed'),
      /the cluster is red; bring its nodes back/,
    ],
    [failure(503, 'cluster_manager_not_discovered_exception', ''), /a cluster that has no manager/],
    [
      failure(
        403,
        'cluster_block_exception',
        'index [x] blocked by: [FORBIDDEN/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];',
      ),
      /read-only, because the disk of a node is full/,
    ],
    [
      failure(429, 'circuit_breaking_exception', '[parent] Data too large'),
      /a cluster that has too much to do/,
    ],
    [
      failure(400, 'illegal_argument_exception', 'unknown setting [index.knn] please check'),
      /without the k-NN plugin/,
    ],
    [
      failure(400, 'illegal_argument_exception', 'Limit of total fields [2050] has been exceeded'),
      /no room for another column/,
    ],
    [
      failure(400, 'something_new_exception', 'of a later version'),
      /something_new_exception: of a later version/,
    ],
    ['silent', /no answer from any node/],
  ];
  for (const [answer, expected] of cases) {
    let asked = 0;
    const cluster = await clusterOf(() => {
      asked += 1;
      return answer;
    });
    await assert.rejects(cluster.makeIndex('x', {}), expected);
    const isPassing = answer === 'silent' || (typeof answer === 'object' && (answer.status ?? 0) >= 429);
    assert.equal(asked > 1, isPassing, String(expected));
    await cluster.close();
  }
});

test('a part of an answer is none', async () => {
  const hits = { hits: [] };
  const partial = await clusterOf(() => ({ body: { timed_out: false, _shards: { failed: 1 }, hits } }));
  await assert.rejects(
    search(partial, 'x', {}),
    /expected an answer from every part of the index, found 1 without/,
  );
  const late = await clusterOf(() => ({ body: { timed_out: true, _shards: { failed: 0 }, hits } }));
  await assert.rejects(search(late, 'x', {}), /from every part/);
  assert.match(started()[0]!.requests[1]!.path, /allow_partial_search_results=false/);
  await Promise.all([partial.close(), late.close()]);
});

test('a refresh that a part has missed is repeated, and is an error in the end', async () => {
  let asked = 0;
  const answer = (failed: number) => ({ body: { _shards: { total: 4, successful: 4 - failed, failed } } });
  const once = await clusterOf(() => {
    asked += 1;
    return answer(asked === 1 ? 1 : 0);
  });
  await refresh(once, ['x', 'y']);
  assert.equal(asked, 2);
  const never = await clusterOf(() => answer(2));
  await assert.rejects(
    refresh(never, ['x']),
    /expected an answer from every part of the index, found 2 with/,
  );
  await Promise.all([once.close(), never.close()]);
});

test('another node is asked when one is away, silent or cuts the connection', async (context) => {
  const { mock: log } = context.mock.method(console, 'log', () => {});
  const away = await start(() => greeting);
  const silent = await start(({ path }) => (path === '/' ? greeting : 'silent'));
  const cut = await start(({ path }) => (path === '/' ? greeting : 'cut'));
  const good = await start(({ path }) => (path === '/' ? greeting : { body: { done: true } }));
  const half = await start(({ path }) => (path === '/' ? greeting : 'half'));
  // Only now, or another one might get its port.
  await away.close();
  const hosts = [away, silent, cut, half, good].map(({ port }) => `127.0.0.1:${port}`);
  const cluster = await Cluster.connect(`opensearch://${hosts.join()}/x`, soon);
  for (let times = 0; times < 8; times += 1) {
    assert.deepEqual(await cluster.request({ method: 'GET', path: '/x' }), { done: true });
  }
  assert.equal(log.callCount(), 0);
  await cluster.close();
});

test('a node that is silent is told, and asked after the others', async (context) => {
  const silent = await start(() => 'silent');
  const good = await start(({ path }) => (path === '/' ? greeting : { body: {} }));
  const told: string[] = [];
  const listen = ({ message }: Error) => told.push(message);
  process.on('warning', listen);
  context.after(() => process.off('warning', listen));
  const cluster = await Cluster.connect(`opensearch://127.0.0.1:${silent.port},127.0.0.1:${good.port}/x`);
  for (let times = 0; times < 4; times += 1) await cluster.request({ method: 'GET', path: '/x' });
  assert.deepEqual(told, [`127.0.0.1:${silent.port} does not answer: another node is asked`]);
  assert.equal(silent.requests.length, 1);
  await cluster.close();
});
