/** The routes of clip-retrieval's service (rom1504/clip-retrieval, version 2.45). */

import { hash, timingSafeEqual } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { type IndexedImage, imageId, indexName, limits } from '../../api/index.ts';
import { LincirError } from '../../core/index.ts';
import type { SearchService } from '../../service/index.ts';
import { fileResponse } from '../files.ts';
import { answerError, refusal } from '../problems.ts';
import { checkedRequest, jsonBytes, parsedJson, readBody, scopeOf } from '../requests.ts';
import type { ServerSettings } from '../settings.ts';
import { backendOf } from './addresses.ts';
import { answerQuery } from './answer-query.ts';
import { columnsOf } from './answers.ts';
import { knnQuery, knnRequest, metadataRequest } from './requests.ts';
import { KnnSummary } from './summary.ts';

/** Pixels of the side of a square that a picture fits into. */
const pictureSide = 512;
/** Seconds for which a browser need not ask for it again. */
const pictureSeconds = 600;

/** Nothing, where the protocol is off. It is where everybody needs a key and no token stands for one: clients have none. */
export function knnRoutes(service: SearchService, settings: ServerSettings): Hono {
  const routes = new Hono();
  const { knnService, keys } = settings;
  const token = typeof knnService === 'object' ? knnService.token : undefined;
  if (knnService === false || (keys.length > 0 && token === undefined)) return routes;
  const base = token === undefined ? '' : '/:token';
  const allowed = createMiddleware(async (context, next) => {
    if (token !== undefined && !isSecret(context.req.param('token') ?? '', token)) return context.notFound();
    return await next();
  });
  const summary = new KnnSummary();
  routes.onError((error, context) => answerKnnError(error, context, settings));

  routes.get(`${base}/indices-list`, allowed, (context) => context.json(service.names));

  routes.get(`${base}/config.json`, allowed, (context) =>
    context.json({
      defaultBackend: backendOf(context, settings),
      defaultIndex: service.names[0] ?? '',
      urlColumn: 'url',
    }),
  );

  routes.get(`${base}/metrics-summary`, allowed, (context) => context.text(summary.text()));

  routes.post(`${base}/knn-service`, allowed, async (context) => {
    const begin = performance.now();
    const asked = knnQuery(checkedRequest(knnRequest, await jsonOf(context)));
    const backend = backendOf(context, settings);
    const { results, timings } = await answerQuery(service, asked, backend, scopeOf(context, settings));
    summary.add(performance.now() - begin, timings);
    return context.json(results);
  });

  routes.post(`${base}/metadata`, allowed, async (context) => {
    const { ids, indice_name: name } = checkedRequest(metadataRequest, await jsonOf(context));
    const index = name || service.names[0]!;
    const backend = backendOf(context, settings);
    const images: IndexedImage[] = [];
    for (let at = 0; at < ids.length; at += limits.ids) {
      const some = ids.slice(at, at + limits.ids);
      images.push(...(await service.images(index, { ids: some, fields: ['path', 'metadata'] })));
    }
    return context.json(
      images.map((image) => ({ id: image.id, metadata: columnsOf(image, index, backend) })),
    );
  });

  routes.get(`${base}/knn-image/:index/:id`, allowed, async (context) => {
    const index = checkedRequest(indexName, context.req.param('index'), 'index');
    const id = checkedRequest(imageId, context.req.param('id'), 'id');
    const file = await service.thumbnail(index, id, pictureSide, scopeOf(context, settings));
    return fileResponse(context, file, { seconds: pictureSeconds });
  });
  return routes;
}

/** The front calls its JSON text. Only what is no JSON at all has status 400. */
async function jsonOf(context: Context): Promise<unknown> {
  const bytes = await readBody(context, jsonBytes);
  try {
    return parsedJson(bytes);
  } catch (error) {
    throw error instanceof LincirError ? refusal(400, error.problem) : error;
  }
}

/** Errors as this protocol has them: a message, and status 500 for whatever the request lacks. */
async function answerKnnError(error: Error, context: Context, settings: ServerSettings): Promise<Response> {
  const answer = answerError(error, context, settings);
  if (context.req.method === 'GET' || answer.body === null) return answer;
  const { detail } = (await answer.json()) as { readonly detail: string };
  const status = error instanceof LincirError && error.code !== 'busy' ? 500 : answer.status;
  const retryAfter = answer.headers.get('retry-after');
  return Response.json(
    { message: detail },
    { status, headers: retryAfter === null ? {} : { 'retry-after': retryAfter } },
  );
}

/** In the same time, whatever differs. */
function isSecret(given: string, secret: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', secret, 'buffer'));
}
