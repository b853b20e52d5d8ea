/** Records each request: in the metrics and, if wanted, as a line. Neither has what was asked. */

import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Metrics } from './metrics.ts';
import type { ServerSettings } from './settings.ts';

export function recorded(metrics: Metrics, { onRequest }: ServerSettings): MiddlewareHandler {
  return async (context, next) => {
    const begin = performance.now();
    metrics.began();
    try {
      return await next();
    } finally {
      const milliseconds = performance.now() - begin;
      const method = methods.has(context.req.method) ? context.req.method : 'other';
      const route = routeOf(context);
      // A client that has gone got nothing.
      const status = context.req.raw.signal.aborted ? 499 : context.res.status;
      metrics.answered(method, route, status, milliseconds);
      onRequest?.(
        JSON.stringify({
          time: new Date().toISOString(),
          ...{ method, route, status },
          milliseconds: Math.round(milliseconds * 10) / 10,
        }),
      );
    }
  };
}

const methods = new Set(['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']);

/** The pattern, never the address: it may have a secret, and there are only so many patterns. */
function routeOf(context: Context): string {
  return matchedRoutes(context).findLast(({ path }) => path !== '/*')?.path ?? 'none';
}
