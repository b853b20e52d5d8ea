/** Many queries at once, in threads: what they compute, what fails, and what stays in memory. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type PlaceToServe, placeToServe, requestScope } from '../../test/served.ts';
import type { ComposeRequest } from '../api/index.ts';
import { openService } from './open.ts';
import type { ServiceEvent } from './options.ts';

const words = 'a red cat in the snow with some people and a dog'.split(' ');

let folder: string;
let place: PlaceToServe;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-threads-'));
  place = await placeToServe(folder, 12);
});
after(() => rm(folder, { recursive: true }));

/** Queries of all methods, with texts of all lengths. */
function requests(): ComposeRequest[] {
  return Array.from({ length: 32 }, (_, at): ComposeRequest => {
    const images = [{ id: place.ids[at % 12]! }];
    const text = words.slice(0, 1 + (at % 11)).join(' ');
    if (at % 8 === 4) return { text };
    if (at % 8 === 6) return { images, text, method: 'slerp', without: 'a hat', withoutWeight: 0.3 };
    if (at % 8 === 5) return { images, text, method: 'sum', weight: 0.5 + (at % 3) };
    if (at % 4 !== 3) return { images, text };
    return { images: [...images, { id: place.ids[0]! }], text: `${text} of $1 on $2` };
  });
}

describe('many queries at once', () => {
  test('each have the vector that they have alone, bit for bit, and share batches', async () => {
    const sizes: number[] = [];
    const onEvent = (event: ServiceEvent) => {
      if (event.kind === 'batch' && event.lane === 'text') sizes.push(event.size);
    };
    const service = await openService({
      indexes: [{ name: 'photos', uri: place.uri, phi: place.phi }],
      onEvent,
    });
    try {
      const alone: (readonly number[])[] = [];
      for (const request of requests()) {
        alone.push((await service.compose(request, requestScope())).vector);
      }
      assert.deepEqual(new Set(sizes), new Set([1]));
      sizes.length = 0;
      const together = await Promise.all(
        requests().map((request) => service.compose(request, requestScope())),
      );
      for (const [at, { vector }] of together.entries()) assert.deepEqual(vector, alone[at], `${at}`);
      assert.ok(sizes.length < 8, `${sizes.length} batches`);
      const { texts } = await service.embed({ texts: words, normalize: false }, requestScope());
      for (const [at, text] of words.entries()) {
        const one = await service.embed({ texts: [text], normalize: false }, requestScope());
        assert.deepEqual(one.texts, [texts![at]]);
      }
    } finally {
      await service.close();
    }
  });

  test('one that fails fails alone', async () => {
    const service = await openService({
      indexes: [{ name: 'photos', uri: place.uri, phi: place.phi }],
    });
    try {
      const good = { images: [{ id: place.ids[0]! }], text: 'a cat' };
      const outcomes = await Promise.allSettled([
        service.compose({ text: 'a cat', without: 'a cat', withoutWeight: 1 }, requestScope()),
        service.compose({ text: words.join(' ').repeat(9) }, requestScope()),
        service.compose({ text: 'a dog', without: 'a cat', withoutWeight: 1 }, requestScope()),
        ...Array.from({ length: 4 }, () => service.compose(good, requestScope())),
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['rejected', 'rejected', ...Array(5).fill('fulfilled')],
      );
      const [cancelled, long] = outcomes as PromiseRejectedResult[];
      assert.match(cancelled!.reason.message, /parts that cancel each other out/);
      assert.match(long!.reason.message, /at most \d+ tokens/);
    } finally {
      await service.close();
    }
  });
});

test('more than it can do is refused at once, and the rest is right', async () => {
  const service = await openService({
    indexes: [{ name: 'photos', uri: place.uri, phi: place.phi }],
    queue: 4,
  });
  try {
    const request = { images: [{ id: place.ids[0]! }], text: 'a cat' };
    const { vector } = await service.compose(request, requestScope());
    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, () => service.compose(request, requestScope())),
    );
    const answered = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    assert.ok(answered.length >= 4);
    assert.ok(refused.length > 0);
    for (const answer of answered) assert.deepEqual(answer.vector, vector);
    for (const { code, problem } of refused) {
      assert.equal(code, 'busy');
      assert.ok(problem.retryAfter >= 1);
    }
    assert.deepEqual((await service.compose(request, requestScope())).vector, vector);
    const gone = new AbortController();
    const left = service.compose(request, requestScope(gone.signal));
    gone.abort(new Error('the client has gone'));
    await assert.rejects(left, /the client has gone/);
    const late = { ...requestScope(), deadline: performance.now() - 1 };
    await assert.rejects(service.compose(request, late), { code: 'busy' });
  } finally {
    await service.close();
  }
});

test('a model is loaded once, is freed when nobody needs it, and comes back', async () => {
  const news: string[] = [];
  const onEvent = (event: ServiceEvent) => {
    if (event.kind === 'model') news.push(event.loaded ? 'loaded' : 'freed');
  };
  const indexes = ['photos', 'same'].map((name) => ({ name, uri: place.uri, phi: place.phi }));
  const service = await openService({ indexes, idleSeconds: 0.5, onEvent });
  try {
    const query = (index: string) =>
      service.compose({ index, images: [{ id: place.ids[0]! }], text: 'a cat' }, requestScope());
    assert.deepEqual(
      (await service.models()).map(({ indexes: names, loaded }) => [names, loaded]),
      [[['photos', 'same'], false]],
    );
    const first = await query('photos');
    const all = await Promise.all([query('photos'), query('same'), query('same')]);
    assert.equal((await service.models())[0]!.loaded, true);
    assert.deepEqual(news, ['loaded']);
    while (news.length < 2) await pause(20);
    assert.equal((await service.models())[0]!.loaded, false);
    const again = await query('photos');
    assert.deepEqual(news, ['loaded', 'freed', 'loaded']);
    for (const { vector } of [...all, again]) assert.deepEqual(vector, first.vector);
  } finally {
    await service.close();
  }
});

test('a model can be in memory before anybody asks', async () => {
  const { promise: loaded, resolve } = Promise.withResolvers<ServiceEvent>();
  const service = await openService({
    indexes: [{ name: 'photos', uri: place.uri }],
    preload: true,
    onEvent: (event) => {
      if (event.kind === 'model') resolve(event);
    },
  });
  try {
    await loaded;
    assert.equal((await service.models())[0]!.loaded, true);
  } finally {
    await service.close();
  }
});

test('what closes answers what it has begun, and refuses the rest', async () => {
  const service = await openService({ indexes: [{ name: 'photos', uri: place.uri, phi: place.phi }] });
  const bytes = Uint8Array.from(await readFile(join(place.photos, '0.png')));
  const queries = requests().map((request) => service.search(request, requestScope()));
  const uploads = Array.from({ length: 6 }, () =>
    service.upload(undefined, bytes.slice(), 'a.png', requestScope()),
  );
  const closing = service.close();
  await assert.rejects(service.search({ text: 'a cat' }, requestScope()), { code: 'busy' });
  assert.match((await service.readiness())!, /closing/);
  for (const { images } of await Promise.all(queries)) assert.ok(images.length > 0);
  await Promise.all(uploads);
  await closing;
  await service.close();
});
