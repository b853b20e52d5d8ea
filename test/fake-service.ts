/** A service with one small index, for tests of what stands before a service. */

import { LincirError } from '../src/core/index.ts';
import type { RequestScope, SearchService, ServedFile } from '../src/service/index.ts';

export const knownId = '0123456789abcdef';
export const pixel: ServedFile = {
  bytes: new Uint8Array([1, 2, 3]),
  type: 'image/jpeg',
  name: 'a "red"\r\nhaus ä.jpg',
  etag: 'abc',
};

/** What it was asked, in order: the method and its arguments. */
export type Asked = [method: string, ...unknown[]][];

/** Answers at once; `overrides` replaces what it does. */
export function fakeService(
  overrides: Partial<SearchService> = {},
): SearchService & { readonly asked: Asked } {
  const asked: Asked = [];
  const notFound = (found: string) =>
    new LincirError('not-found', { subject: '`images`', expected: 'an image of the index', found });
  const service: SearchService = {
    names: ['photos'],
    allowsImageUrls: true,
    async describe(index = 'photos') {
      if (index !== 'photos') throw notFound(index);
      return {
        name: index,
        images: 1,
        broken: 0,
        missing: 0,
        model: 'mini',
        dimensions: 2,
        created: '2026-11-29T00:00:00.000Z',
        changes: 1,
        columns: [{ name: 'rating', type: 'number' }],
        methods: ['sum'],
      };
    },
    models: async () => [
      { name: 'mini', fingerprint: 'f', dimensions: 2, indexes: ['photos'], loaded: true },
    ],
    search: async ({ limit = 20, offset = 0 }) => ({
      index: 'photos',
      method: 'sum',
      timings: { search: 1 },
      images: [{ id: knownId, score: 0.5, path: '/photos/a.jpg' }],
      offset,
      limit,
      hasMore: false,
    }),
    compose: async () => ({ index: 'photos', method: 'sum', timings: {}, vector: [1, 0], model: 'mini' }),
    embed: async ({ texts = [], images = [] }) => ({
      index: 'photos',
      model: 'mini',
      dimensions: 2,
      texts: texts.map(() => [1, 0]),
      images: images.map(() => [0, 1]),
    }),
    upload: async (_, bytes, name) => ({ upload: 'upload-0123456789', name, width: bytes.length, height: 1 }),
    uploadThumbnail: async () => pixel,
    images: async (_, { ids }) =>
      ids.filter((id) => id === knownId).map((id) => ({ id, path: '/photos/a.jpg' })),
    async thumbnail(_, id) {
      if (id !== knownId) throw notFound(id);
      return pixel;
    },
    async original(_, id) {
      if (id !== knownId) throw notFound(id);
      return pixel;
    },
    values: async () => ({ values: [{ value: 4, count: 1 }], least: 4, greatest: 4, sampled: false }),
    readiness: async () => undefined,
    close: async () => {},
    ...overrides,
  };
  const watched = new Proxy(service, {
    get(target, name: keyof SearchService) {
      const member = target[name];
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        asked.push([name, ...given.filter((argument) => !isScope(argument))]);
        return Reflect.apply(member, target, given);
      };
    },
  });
  return Object.assign(Object.create(watched), { asked });
}

function isScope(value: unknown): value is RequestScope {
  return typeof value === 'object' && value !== null && 'deadline' in value;
}
