/** Routes of queries: search, compose, embed, and the images that clients send for them. */

import { type Context, Hono } from 'hono';
import type { z } from 'zod';
import {
  composeRequest,
  embedRequest,
  type ImageReference,
  indexName,
  searchRequest,
  uploadRequest,
} from '../../api/index.ts';
import { LincirError } from '../../core/index.ts';
import type { SearchService } from '../../service/index.ts';
import { fieldBytes } from '../limits.ts';
import { readForm, type SentFile } from '../multipart.ts';
import {
  checkedRequest,
  contentType,
  expectType,
  jsonBytes,
  readBody,
  readJsonBody,
  scopeOf,
} from '../requests.ts';
import type { ServerSettings } from '../settings.ts';

export function queryRoutes(service: SearchService, settings: ServerSettings): Hono {
  /** Takes a request as JSON, or as a form whose files become uploads. */
  const requestOf = async <Schema extends z.ZodObject>(
    context: Context,
    schema: Schema,
  ): Promise<z.output<Schema>> => {
    if (contentType(context) !== 'multipart/form-data') {
      expectType(context, ['application/json', 'multipart/form-data']);
      return checkedRequest(schema, await readJsonBody(context, jsonBytes));
    }
    const { files, fields } = await readForm(context, settings.uploadBytes + fieldBytes, schema.shape);
    checkedRequest(schema, fields);
    const index = checkedRequest(indexName.optional(), fields.index, 'index');
    const scope = scopeOf(context, settings);
    const sent = await Promise.all(
      files.map(async ({ name, bytes }): Promise<ImageReference> => {
        const { upload } = await service.upload(index, bytes, name, scope);
        return { upload };
      }),
    );
    const named = (fields.images as ImageReference[] | undefined) ?? [];
    const images = [...sent, ...named];
    return checkedRequest(schema, images.length > 0 ? { ...fields, images } : fields);
  };

  return new Hono()
    .post('/search', async (context) =>
      context.json(await service.search(await requestOf(context, searchRequest), scopeOf(context, settings))),
    )
    .post('/compose', async (context) =>
      context.json(
        await service.compose(await requestOf(context, composeRequest), scopeOf(context, settings)),
      ),
    )
    .post('/embed', async (context) =>
      context.json(await service.embed(await requestOf(context, embedRequest), scopeOf(context, settings))),
    )
    .post('/uploads', async (context) => {
      const { index, name } = checkedRequest(uploadRequest, context.req.query(), 'the query');
      const { bytes, ...image } = await sentImage(context, settings);
      const uploaded = service.upload(index, bytes, name ?? image.name, scopeOf(context, settings));
      return context.json(await uploaded, 201);
    });
}

/** The image of an upload, as the body or in a form. */
async function sentImage(context: Context, { uploadBytes }: ServerSettings): Promise<SentFile> {
  if (contentType(context) === 'multipart/form-data') {
    const { files, fields } = await readForm(context, uploadBytes + fieldBytes, {});
    const [file, ...others] = files;
    if (!file || others.length > 0 || Object.keys(fields).length > 0) {
      throw new LincirError('bad-argument', {
        subject: 'the form',
        expected: 'one file, under the name `image`',
        found: `${files.length} files and ${Object.keys(fields).length} fields`,
      });
    }
    return file;
  }
  expectType(context, ['image/*', 'application/octet-stream', 'multipart/form-data']);
  return { bytes: await readBody(context, uploadBytes), name: '' };
}
