/** Addresses of indexes in a cluster: what they name, and what is refused. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { backendOf } from '../backend.ts';
import { parseAddress } from './address.ts';

test('an address names nodes and an index, and nothing else', () => {
  const { nodes: found, name } = parseAddress(
    'opensearch://a.example,b-2:9201,[::1]:9202,10.0.0.1/photos_2-x',
  );
  assert.deepEqual(found, [
    'http://a.example:9200',
    'http://b-2:9201',
    'http://[::1]:9202',
    'http://10.0.0.1:9200',
  ]);
  assert.equal(name, 'photos_2-x');
  assert.deepEqual(parseAddress('OpenSearch+HTTPS://host:443/x').nodes, ['https://host:443']);
  const wrong = [
    ...[
      'opensearch:///x',
      'opensearch://a,,b/x',
      'opensearch://a:0/x',
      'opensearch://a:65536/x',
      'opensearch://a b/x',
    ],
    ...['opensearch://a:x/y', 'opensearch://[::1/x', 'opensearch://a/', 'opensearch://a', 'opensearch://a/X'],
    ...[
      'opensearch://a/_x',
      'opensearch://a/x/y',
      'opensearch://a/..',
      'opensearch://a/x.y',
      'opensearch://a/x?y=1',
    ],
    ...[
      'opensearch://a/x%2fy',
      'opensearch://a/*',
      'opensearch://a/x,y',
      `opensearch://a/${'x'.repeat(201)}`,
    ],
  ];
  for (const uri of wrong) assert.throws(() => parseAddress(uri), { code: 'bad-argument' }, uri);
});

test('a password in an address is refused, and not repeated', async () => {
  for (const uri of ['opensearch://me:S3cret@host/x', 'opensearch+https://host,me:S3cret@host/x']) {
    const { backend, location } = await backendOf(uri);
    await assert.rejects(backend.open(location, 'read'), (error: Error) => {
      assert.match(error.message, /LINCIR_OPENSEARCH_USER and LINCIR_OPENSEARCH_PASSWORD/);
      assert.ok(!inspect(error).includes('S3cret'));
      return true;
    });
  }
});
