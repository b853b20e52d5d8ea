/** How much a server takes on at once. Whoever comes on top is told so at once. */

import type { MiddlewareHandler } from 'hono';
import type { Metrics } from './metrics.ts';
import { problemResponse } from './problems.ts';
import type { ServerSettings } from './settings.ts';

/** Bytes of a body beside its image: the fields of a form, or JSON. */
export const fieldBytes = 2 ** 20;

/** Bounds the number of requests and the memory of their bodies, before any body is read. */
export function limited(
  { requests, bodyBytes, uploadBytes }: ServerSettings,
  metrics: Metrics,
): MiddlewareHandler {
  let running = 0;
  let reserved = 0;
  return async (context, next) => {
    const size = bodySize(context.req.raw, uploadBytes + fieldBytes);
    if (running >= requests || reserved + size > bodyBytes) {
      metrics.refused('limit');
      const todo = 'try again in a second';
      return problemResponse(
        503,
        { subject: 'the server', expected: 'fewer requests at once', found: 'more', todo },
        { 'retry-after': '1' },
      );
    }
    running += 1;
    reserved += size;
    try {
      return await next();
    } finally {
      running -= 1;
      reserved -= size;
    }
  };
}

/** The bytes that a body may take. One that does not tell its length may take all that is allowed. */
function bodySize({ method, headers }: Request, most: number): number {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return 0;
  if (headers.has('transfer-encoding')) return most;
  const length = Number(headers.get('content-length') ?? 0);
  return length <= most ? length : most;
}
