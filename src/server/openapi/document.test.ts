/** The description of the API: that it is valid, and says what the server does. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeService } from '../../../test/fake-service.ts';
import { createApp } from '../app.ts';
import { defaultSettings } from '../settings.ts';
import { openApiDocument } from './document.ts';
import { operations } from './operations.ts';

const indexing = { state: async () => ({ indexes: [] }), start: async () => true, stop: () => {} };
const app = createApp(fakeService(), { ...defaultSettings, indexing });

test('is valid OpenAPI 3.1', async () => {
  const { Validator } = await import('@seriousme/openapi-schema-validator');
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(openApiDocument())));
  assert.ok(valid, JSON.stringify(errors, undefined, 1));
});

test('describes every route of the API, and no others', () => {
  const routes = app.routes
    .filter(({ path, method }) => path.startsWith('/api/v1') && method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  assert.deepEqual([...new Set(routes)].sort(), described.sort());
});

test('refers to what is there, and names each operation once', () => {
  const text = JSON.stringify(openApiDocument());
  const places = new Set([...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, place]) => place!));
  assert.ok(places.size > 15);
  for (const place of places) {
    const found = place
      .split('/')
      .reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], openApiDocument());
    assert.ok(found, place);
  }
  assert.equal(new Set(operations.map(({ id }) => id)).size, operations.length);
});

test('its examples are requests that the server takes', async () => {
  for (const { path, example, status = 200 } of operations) {
    if (example === undefined) continue;
    const answer = await app.request(path.replace('{index}', 'photos'), {
      method: 'POST',
      body: JSON.stringify(example),
      headers: { host: 'localhost', 'content-type': 'application/json' },
    });
    assert.equal(answer.status, status, path);
  }
});
