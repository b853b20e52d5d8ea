/** The whole server as one function from requests to responses; needs no socket. */

import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { getPath } from 'hono/utils/url';
import type { SearchService } from '../service/index.ts';
import { accessFor } from './access.ts';
import { apiPageRoutes } from './api-page.ts';
import { guard, sharing } from './guard.ts';
import { careful } from './headers.ts';
import { indexingRoutes } from './indexing/index.ts';
import { knnRoutes } from './knn/index.ts';
import { limited } from './limits.ts';
import { mcpRoutes } from './mcp/index.ts';
import { Metrics } from './metrics.ts';
import { pageRoutes } from './page.ts';
import { answerError, problemResponse } from './problems.ts';
import { recorded } from './records.ts';
import { imageRoutes } from './routes/images.ts';
import { queryRoutes } from './routes/queries.ts';
import type { ServerSettings } from './settings.ts';

export function createApp(service: SearchService, settings: ServerSettings, metrics = new Metrics()): Hono {
  // Clients of clip-retrieval double slashes.
  const app = new Hono({ getPath: (request) => getPath(request).replaceAll(/\/{2,}/g, '/') });
  app.onError((error, context) => answerError(error, context, settings));
  app.notFound(({ req }) =>
    problemResponse(404, {
      subject: `${req.method} ${req.path}`,
      expected: 'a route',
      found: 'none',
      todo: 'see /api',
    }),
  );
  app.use(recorded(metrics, settings), careful, guard(settings), sharing(settings));
  app.get('/health/live', (context) => context.text('ok'));
  app.use(
    limited(settings, metrics),
    methodNotAllowed({
      app,
      onMethodNotAllowed: ({ req }, methods) =>
        problemResponse(
          405,
          { subject: req.path, expected: methods.join(' or '), found: req.method },
          { allow: methods.join(', ') },
        ),
    }),
  );

  // Pages are for everybody: they ask for the key.
  app.route('/', pageRoutes(settings.pageFolder));
  app.route('/api', apiPageRoutes());
  const access = accessFor(settings);
  app.route('/api/v1/session', access.sessions);
  // Without keys, or with a secret address that is one.
  app.route('/', knnRoutes(service, settings));
  // Balancers have no key. The reason is for those who have.
  app.get('/health/ready', async (context) => {
    const reason = await service.readiness();
    if (reason === undefined) return context.text('ok');
    return context.text(access.allows(context) ? reason : 'not ready', 503);
  });
  // What comes now needs a key, if there are keys.
  app.use(access.required);
  app.get('/metrics', async (context) =>
    context.body(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  );
  app.route('/api/v1', queryRoutes(service, settings));
  app.route('/api/v1', imageRoutes(service, settings));
  if (settings.mcp) app.route('/mcp', mcpRoutes(service, settings));
  if (settings.indexing) app.route('/api/v1/indexing', indexingRoutes(settings.indexing));
  return app;
}
