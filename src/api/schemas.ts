/** What API v1 takes: one zod schema per request, which checks it, describes it in OpenAPI, and gives it its type. */

import { z } from 'zod';
import { methodNames } from '../composition/choices.ts';
import { idPattern } from '../core/index.ts';

/** What one request may ask for. */
export const limits = {
  images: 16,
  textCharacters: 2000,
  filterCharacters: 4000,
  results: 10_000,
  /** `offset` and `limit` together. */
  deepest: 100_000,
  /** Images of an answer with their vectors: numbers as text take long to write. */
  vectors: 200,
  /** `offset` and `limit` together, if all images are compared with each other. */
  compared: 1000,
  texts: 256,
  ids: 1000,
  dimensions: 8192,
  suggestions: 100,
  folders: 100,
} as const;

/** Methods of a server. `oti` takes minutes for an image. The others differ only in whose phi they name: `lincir` takes any. */
export const servedMethods = methodNames.filter((name) => !['oti', 'searle', 'pic2word'].includes(name));

export const indexName = z
  .string()
  .regex(/^[\w.-]{1,64}$/, 'a name of 1 to 64 letters, digits, dots, dashes and underscores');
export const imageId = z.string().regex(idPattern, 'an id of 16 or 24 hexadecimal digits');
export const uploadHandle = z.string().regex(/^[\w-]{16,64}$/, 'the handle of an upload');
export const columnName = z.string().min(1).max(200);
/** The side of the square that a thumbnail fits into, in pixels. */
export const thumbnailSize = z.coerce.number().int().min(16).max(2048);
const text = z.string().max(limits.textCharacters);
const weight = z.number().min(0).max(100);

/** zod's own check decodes all of it, in a time in which a server should answer others. */
const base64 = z
  .string()
  .refine(
    (data) =>
      data.length % 4 === 0 &&
      !/[^A-Za-z\d+/=]/.test(data) &&
      !/=[^=]/.test(data.slice(-4)) &&
      !data.slice(0, -2).includes('='),
    'base64',
  )
  .meta({ contentEncoding: 'base64' });

/** An image of a query. Nothing else names one: no request can make the server open a file. */
export const imageReference = z
  .union(
    [
      z.strictObject({ id: imageId.describe('The id of an image in the index.') }),
      z.strictObject({
        upload: uploadHandle.describe('The handle of an earlier upload.'),
      }),
      z.strictObject({
        url: z
          .url({ protocol: /^https?$/, error: 'an address that begins with http:// or https://' })
          .max(4096)
          .describe('An address on the public web.'),
      }),
      z.strictObject({ data: base64.describe('The bytes of an encoded image, in base64.') }),
    ],
    'one of `id`, `upload`, `url` and `data`, and no other field',
  )
  .meta({ id: 'ImageReference' });

const queryShape = {
  index: indexName.optional().describe('The name of an index. Default: the first one.'),
  images: z
    .array(imageReference)
    .max(limits.images)
    .optional()
    .describe('The images that the query starts from: `$1`, `$2`, … in the text.'),
  text: text.optional().describe('What should be different, or a whole prompt with `$`.'),
  without: text.optional().describe('What you do not want.'),
  withoutWeight: weight.optional().describe('How much of it is subtracted. Default: 0.5.'),
  method: z
    .enum(servedMethods)
    .optional()
    .describe('How to compose. Default: `lincir` for images with words, else what you give.'),
  weight: weight.optional().describe('The weight of the text, for the methods `sum` and `slerp`.'),
  more: z
    .array(imageReference)
    .max(limits.images)
    .optional()
    .describe('Images to move the query towards (Rocchio feedback).'),
  less: z.array(imageReference).max(limits.images).optional().describe('Images to move the query away from.'),
  moreWeight: weight.optional().describe('Weight of the mean direction of `more`. Default: 0.75.'),
  lessWeight: weight.optional().describe('Weight of the mean direction of `less`. Default: 0.25.'),
  vector: z
    .array(z.number())
    .min(1)
    .max(limits.dimensions)
    .optional()
    .describe('A ready query vector, in place of images and text. It may have any length.'),
};

export const composeRequest = z.strictObject(queryShape).meta({ id: 'ComposeRequest' });

export const imageFields = ['path', 'folder', 'hash', 'metadata', 'vector'] as const;

export const searchRequest = z
  .strictObject({
    ...queryShape,
    filter: z
      .string()
      .max(limits.filterCharacters)
      .optional()
      .describe("Ranks only images that pass, such as `rating >= 4 and taken > '2024-05-01'`."),
    minScore: z.number().min(-1).max(1).optional().describe('Leaves out images that are less similar.'),
    limit: z
      .int()
      .min(1)
      .max(limits.results)
      .optional()
      .describe('The largest number of images. Default: 20.'),
    offset: z
      .int()
      .min(0)
      .max(limits.deepest)
      .optional()
      .describe('How many of the best images to skip. Default: 0.'),
    fields: z
      .array(z.enum(imageFields))
      .max(imageFields.length)
      .optional()
      .describe('What to tell of each image beside id and score. Default: all but `vector`.'),
    unique: z
      .union([z.boolean(), z.number().min(0).max(1)])
      .optional()
      .describe(
        'Shows duplicates once: those with the same contents, or of at least this cosine similarity, among the first 1,000.',
      ),
    includeReferences: z.boolean().optional().describe("Keeps the query's own images in the results."),
    exact: z.boolean().optional().describe('Compares every vector, however long it takes.'),
  })
  .superRefine(({ fields, limit = 0 }, context) => {
    if (!fields?.includes('vector') || limit <= limits.vectors) return;
    const message = `at most ${limits.vectors} images with their vectors`;
    context.addIssue({ code: 'custom', path: ['limit'], input: limit, message });
  })
  .refine(
    ({ unique, limit = 0, offset = 0 }) => typeof unique !== 'number' || offset + limit <= limits.compared,
    {
      path: ['limit'],
      error: `at most the first ${limits.compared} images that are compared with each other`,
    },
  )
  .meta({ id: 'SearchRequest' });

export const embedRequest = z
  .strictObject({
    index: queryShape.index.describe('The index whose model embeds. Default: the first one.'),
    texts: z.array(text.min(1)).max(limits.texts).optional(),
    images: z.array(imageReference).max(limits.images).optional(),
    normalize: z.boolean().optional().describe('Scale embeddings to length 1. Default: true.'),
    truncate: z
      .boolean()
      .optional()
      .describe('Cuts texts that are too long for the model. Default: they are refused.'),
  })
  .meta({ id: 'EmbedRequest' });

export const imagesRequest = z
  .strictObject({ ids: z.array(imageId).min(1).max(limits.ids), fields: searchRequest.shape.fields })
  .meta({ id: 'ImagesRequest' });

/** Of the address to which an image is sent. */
export const uploadRequest = z.strictObject({
  index: queryShape.index.describe('The index whose model encodes it. Default: the first one.'),
  name: z.string().max(1000).optional().describe('What people call it.'),
});

export const valuesRequest = z.strictObject({
  prefix: z.string().max(200).optional().describe('What the values begin with, in any case.'),
  limit: z.coerce.number().int().min(1).max(limits.suggestions).optional().describe('Default: 20.'),
});

/** Folders have ids: no string from a request is a path. */
export const indexingRequest = z
  .strictObject({
    index: indexName.optional().describe('The index to bring up to date. Default: the first one.'),
    folders: z
      .array(z.string().regex(/^[\da-f]{16}$/, 'the id of a folder'))
      .min(1)
      .max(limits.folders)
      .optional()
      .describe('The ids of its folders. Default: all that are there.'),
  })
  .meta({ id: 'IndexingRequest' });

export type ImageReference = z.infer<typeof imageReference>;
export type ComposeRequest = z.infer<typeof composeRequest>;
export type SearchRequest = z.infer<typeof searchRequest>;
export type EmbedRequest = z.infer<typeof embedRequest>;
export type ImagesRequest = z.infer<typeof imagesRequest>;
export type ValuesRequest = z.infer<typeof valuesRequest>;
export type IndexingRequest = z.infer<typeof indexingRequest>;
