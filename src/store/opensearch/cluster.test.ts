/** What goes wrong with credentials, connections and clusters, each told in one clear line. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { inspect } from 'node:util';
import {
  authority,
  type FakeAnswer,
  type FakeNode,
  type FakeRequest,
  failure,
  greeting,
  startNode,
} from '../../../test/fake-cluster.ts';
import { info } from '../../../test/stores.ts';
import { backendOf } from '../backend.ts';
import { Cluster } from './cluster.ts';
import { refresh, search } from './reading.ts';
import { type Change, write } from './writing.ts';

const secret = 'pass word/1';
const soon = { attempt: 300, all: 1500 };
const variables = ['USER', 'PASSWORD', 'API_KEY', 'CA'].map((name) => `LINCIR_OPENSEARCH_${name}`);
let before: (string | undefined)[];
let nodes: FakeNode[];
beforeEach(() => {
  before = variables.map((name) => process.env[name]);
  for (const name of variables) delete process.env[name];
  nodes = [];
});
afterEach(async () => {
  for (const [at, name] of variables.entries()) {
    if (before[at] === undefined) delete process.env[name];
    else process.env[name] = before[at];
  }
  await Promise.all(nodes.map((node) => node.close()));
});

async function start(answer: (request: FakeRequest) => FakeAnswer, certificate?: 'node' | 'expired') {
  const node = await startNode(answer, certificate);
  nodes.push(node);
  return node;
}

/** A cluster of one node that greets, and answers all else so. */
async function clusterOf(answer: (request: FakeRequest) => FakeAnswer): Promise<Cluster> {
  const { port } = await start((request) => (request.path === '/' ? greeting : answer(request)));
  return await Cluster.connect(`opensearch://127.0.0.1:${port}/photos`, soon);
}

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
  assert.match(nodes[0]!.requests[1]!.path, /allow_partial_search_results=false/);
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
  nodes = nodes.filter((node) => node !== away);
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

test('more copies than the cluster has nodes for are told', async (context) => {
  const told: string[] = [];
  const listen = ({ message }: Error) => told.push(message);
  process.on('warning', listen);
  process.env.LINCIR_OPENSEARCH_REPLICAS = '3';
  context.after(() => {
    process.off('warning', listen);
    delete process.env.LINCIR_OPENSEARCH_REPLICAS;
  });
  for (const count of [3, 4]) {
    const node = await start(({ method, path }) => {
      if (path === '/') return greeting;
      if (path === '/_cluster/health') return { body: { number_of_data_nodes: count } };
      if (path.includes('_update')) return { body: { result: 'created' } };
      return method === 'GET' ? { status: 404, body: {} } : { body: {} };
    });
    const { backend, location } = await backendOf(`opensearch://127.0.0.1:${node.port}/photos`);
    await backend.create(location, info).then((store) => store.close());
  }
  assert.deepEqual(told, [
    'LINCIR_OPENSEARCH_REPLICAS is 3, but the cluster has 3 data nodes: the index is yellow until there are 4',
  ]);
});

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
    assert.ok(nodes[0]!.requests.slice(1).every(({ path }) => path.includes('require_alias=true')));
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

test('an index that a newer lincir made, or a cluster without k-NN, is refused', async () => {
  const newer = { mappings: { _meta: { lincir: { ...info, version: 99 } } }, aliases: {} };
  const { port } = await start(({ path }) =>
    path === '/' ? greeting : { body: { 'photos.images.1': newer } },
  );
  const { backend, location } = await backendOf(`opensearch://127.0.0.1:${port}/photos`);
  await assert.rejects(
    backend.open(location, 'read'),
    /expected an index of version 1 or older, found version 99/,
  );
});

test('a misspelt setting of vectors is refused, and nothing is made or deleted', async () => {
  const none = { status: 404, body: {} };
  const node = await start(({ method, path }) =>
    path === '/'
      ? greeting
      : method === 'PUT'
        ? { body: {} }
        : path.includes('_update')
          ? { body: { result: 'created' } }
          : none,
  );
  const uri = `opensearch://127.0.0.1:${node.port}/photos`;
  const { backend } = await backendOf(uri);
  process.env.LINCIR_OPENSEARCH_VECTORS = 'ondisk';
  try {
    const refused = /LINCIR_OPENSEARCH_VECTORS: expected on_disk, or nothing, found "ondisk"/;
    await assert.rejects(backend.create(uri, info), refused);
  } finally {
    delete process.env.LINCIR_OPENSEARCH_VECTORS;
  }
  const changed = node.requests.filter(({ method, path }) => method !== 'GET' && path.includes('.1'));
  assert.deepEqual(changed, []);
});

test('an index of another program is neither deleted nor written, whichever name of ours it has', async () => {
  for (const name of ['photos.lease', 'photos.notes.1', 'photos.images.1']) {
    const theirs = { body: { [name]: { aliases: {}, mappings: { _meta: { made_by: 'others' } } } } };
    const taken = failure(400, 'resource_already_exists_exception', `index [${name}] already exists`);
    const node = await start(({ method, path }) => {
      if (path === '/') return greeting;
      if (path.startsWith(`/${name}`)) return method === 'GET' ? theirs : taken;
      if (path.includes('_update')) return { body: { result: 'created' } };
      return method === 'GET' ? { status: 404, body: {} } : { body: {} };
    });
    const uri = `opensearch://127.0.0.1:${node.port}/photos`;
    const { backend } = await backendOf(uri);
    await assert.rejects(backend.create(uri, info), new RegExp(`found an index or alias ${name} of another`));
    const sent = node.requests.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(
      sent.filter((one) => one.startsWith('DELETE')),
      [],
    );
    assert.ok(!sent.some((one) => one.startsWith('POST /photos.lease') && name === 'photos.lease'));
  }
});
