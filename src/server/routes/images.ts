/** Routes of what is there: indexes, models, images, and the files of images. */

import { Hono } from 'hono';
import { z } from 'zod';
import {
  columnName,
  imageId,
  imagesRequest,
  indexName,
  thumbnailSize,
  uploadHandle,
  valuesRequest,
} from '../../api/index.ts';
import type { SearchService } from '../../service/index.ts';
import { fileResponse } from '../files.ts';
import { checkedRequest, readJsonBody, scopeOf } from '../requests.ts';
import type { ServerSettings } from '../settings.ts';
import { version } from '../version.ts';

/** Seconds for which a browser keeps pictures: thumbnails change with their images, originals may lie elsewhere. */
const thumbnailSeconds = 600;
const defaultSize = 320;

export function imageRoutes(service: SearchService, settings: ServerSettings): Hono {
  const indexes = () => Promise.all(service.names.map((name) => service.describe(name)));
  const place = z.object({ index: indexName, id: imageId });

  return new Hono()
    .get('/', async (context) =>
      context.json({
        version,
        indexes: await indexes(),
        allows: { imageUrls: service.allowsImageUrls, indexing: settings.indexing !== undefined },
        demo: settings.demo,
        uploadBytes: settings.uploadBytes,
      }),
    )
    .get('/indexes', async (context) => context.json(await indexes()))
    .get('/indexes/:index', async (context) =>
      context.json(await service.describe(checkedRequest(indexName, context.req.param('index'), 'index'))),
    )
    .get('/models', async (context) => context.json(await service.models()))
    .post('/indexes/:index/images', async (context) => {
      const index = checkedRequest(indexName, context.req.param('index'), 'index');
      const request = checkedRequest(imagesRequest, await readJsonBody(context));
      return context.json({ images: await service.images(index, request) });
    })
    .get('/indexes/:index/images/:id', async (context) => {
      const { index, id } = checkedRequest(place, context.req.param(), 'the address');
      const [image] = await service.images(index, { ids: [id] });
      return image ? context.json(image) : context.notFound();
    })
    .get('/indexes/:index/images/:id/thumbnail', async (context) => {
      const { index, id } = checkedRequest(place, context.req.param(), 'the address');
      const side = checkedRequest(thumbnailSize, context.req.query('size') ?? defaultSize, 'size');
      const file = await service.thumbnail(index, id, side, scopeOf(context, settings));
      return fileResponse(context, file, { seconds: thumbnailSeconds });
    })
    .get('/indexes/:index/images/:id/original', async (context) => {
      const { index, id } = checkedRequest(place, context.req.param(), 'the address');
      const file = await service.original(index, id, scopeOf(context, settings));
      return fileResponse(context, file, { seconds: 0, isForeign: true });
    })
    .get('/indexes/:index/columns/:column/values', async (context) => {
      const index = checkedRequest(indexName, context.req.param('index'), 'index');
      const column = checkedRequest(columnName, context.req.param('column'), 'column');
      const request = checkedRequest(valuesRequest, context.req.query(), 'the query');
      return context.json(await service.values(index, column, request));
    })
    .get('/uploads/:upload/thumbnail', async (context) => {
      const upload = checkedRequest(uploadHandle, context.req.param('upload'), 'upload');
      return fileResponse(context, await service.uploadThumbnail(upload), { seconds: thumbnailSeconds });
    });
}
