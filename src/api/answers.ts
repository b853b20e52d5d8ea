/** What API v1 answers: schemas that describe it in OpenAPI and give the client its types. */

import { z } from 'zod';

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** An image as the index knows it. Only the asked fields are there. */
export const indexedImage = z
  .object({
    id: z.string(),
    path: z.string().optional(),
    folder: z.string().optional(),
    hash: z.string().optional().describe('SHA-256 of its file, in hex.'),
    size: z.number().optional().describe('Bytes.'),
    modified: z.number().optional().describe('Milliseconds since 1970.'),
    metadata: z.record(z.string(), scalar).optional(),
    vector: z.array(z.number()).optional().describe('Of length 1.'),
  })
  .meta({ id: 'IndexedImage' });

export const foundImage = indexedImage
  .extend({
    score: z.number().describe('Cosine similarity with the query, -1 to 1.'),
    duplicates: z
      .array(z.object({ id: z.string(), score: z.number(), path: z.string().optional() }))
      .optional(),
  })
  .meta({ id: 'FoundImage' });

/** How a query was composed. */
const composition = {
  index: z.string(),
  method: z.string().describe("The composition's method; `vector` for a ready vector."),
  prompt: z.string().optional().describe('The text that was encoded, with `$` for images.'),
  weight: z.number().optional(),
  timings: z.record(z.string(), z.number()).describe('Milliseconds of each stage.'),
};

export const searchAnswer = z
  .object({
    ...composition,
    images: z.array(foundImage).describe('The nearest first.'),
    offset: z.number(),
    limit: z.number(),
    hasMore: z.boolean().describe('Whether there are further images behind these.'),
  })
  .meta({ id: 'SearchAnswer' });

export const composeAnswer = z
  .object({ ...composition, vector: z.array(z.number()).describe('Of length 1.'), model: z.string() })
  .meta({ id: 'ComposeAnswer' });

export const embedAnswer = z
  .object({
    index: z.string(),
    model: z.string(),
    dimensions: z.number(),
    texts: z.array(z.array(z.number())).optional(),
    images: z.array(z.array(z.number())).optional(),
  })
  .meta({ id: 'EmbedAnswer' });

export const uploadAnswer = z
  .object({
    upload: z
      .string()
      .describe('A handle, for `images` of queries. It is forgotten when others need the room.'),
    name: z.string(),
    width: z.number().describe('Pixels, upright.'),
    height: z.number(),
    id: z.string().optional().describe('The id, if the index has an image with the same contents.'),
  })
  .meta({ id: 'Upload' });

export const columnFacts = z
  .object({ name: z.string(), type: z.enum(['string', 'number', 'boolean', 'time']) })
  .meta({ id: 'Column' });

export const indexAnswer = z
  .object({
    name: z.string(),
    images: z.number(),
    broken: z.number(),
    missing: z.number(),
    model: z.string(),
    dimensions: z.number(),
    created: z.string().describe('ISO 8601.'),
    changes: z.number().describe('Grows whenever the images have changed.'),
    columns: z.array(columnFacts).describe('What filters can name.'),
    phi: z.string().optional().describe('The phi of its queries. Without one, method `lincir` is not there.'),
    methods: z.array(z.string()).describe('The methods that queries can use.'),
    advice: z.string().optional().describe('How to get a phi, if there is none.'),
  })
  .meta({ id: 'Index' });

export const serverAnswer = z
  .object({
    version: z.string(),
    indexes: z.array(indexAnswer).describe('The default one first.'),
    allows: z.object({
      imageUrls: z.boolean().describe('Whether queries may name images by their web address.'),
      indexing: z.boolean().describe('Whether indexing can be started over HTTP.'),
    }),
    demo: z.boolean().describe('Whether this is the miniature world.'),
    uploadBytes: z.number().describe('The largest upload.'),
  })
  .meta({ id: 'Server' });

export const modelAnswer = z
  .object({
    name: z.string(),
    fingerprint: z.string(),
    dimensions: z.number(),
    indexes: z.array(z.string()),
    loaded: z.boolean().describe('Whether it is in memory now.'),
    phi: z.string().optional(),
  })
  .meta({ id: 'Model' });

export const valuesAnswer = z
  .object({
    values: z.array(z.object({ value: scalar, count: z.number() })).describe('The most frequent first.'),
    least: scalar.optional().describe('Of numbers and times.'),
    greatest: scalar.optional(),
    sampled: z.boolean().describe('Whether only a part of a large index was looked at.'),
  })
  .meta({ id: 'Values' });

export const indexingJob = z
  .object({
    index: z.string(),
    folders: z.array(z.string()).describe('Their paths.'),
    state: z.enum(['running', 'stopping', 'done', 'stopped', 'failed']),
    stage: z
      .enum(['starting', 'looking', 'indexing', 'finishing'])
      .describe('What it does, or did last: loads the model, finds images, encodes them, tidies up.'),
    found: z.number().describe('Images in the folders.'),
    done: z.number().describe('Images of `todo` that are done.'),
    todo: z.number().describe('Images that are new or changed.'),
    started: z.string().describe('ISO 8601.'),
    ended: z.string().optional(),
    changes: z
      .object({
        added: z.number(),
        changed: z.number(),
        renamed: z.number(),
        removed: z.number(),
        kept: z.number().describe('Missing images that stay, because they are so many.'),
        unchanged: z.number(),
        broken: z.number().describe('Images that cannot be read.'),
      })
      .optional()
      .describe('What it changed in the index, once it is done.'),
    problem: z.string().optional().describe('Why it failed, or what you should know.'),
  })
  .meta({ id: 'IndexingJob' });

export const indexingAnswer = z
  .object({
    indexes: z.array(
      z.object({
        name: z.string(),
        folders: z
          .array(
            z.object({
              id: z.string().describe('Stands for the folder in requests.'),
              path: z.string(),
              isThere: z.boolean().describe('Whether it can be read now.'),
            }),
          )
          .describe('Folders and shards that it can be brought up to date with.'),
      }),
    ),
    running: indexingJob.optional(),
    last: indexingJob.optional().describe('The last one that has ended, since the server began.'),
  })
  .meta({ id: 'Indexing' });

/** RFC 9457, with what lincir's errors tell. */
export const problem = z
  .object({
    type: z.string().describe('`urn:lincir:` and the code.'),
    title: z.string(),
    status: z.number(),
    detail: z.string().describe('All of it, in a sentence.'),
    code: z.string(),
    subject: z.string().optional().describe('What is at fault.'),
    expected: z.string().optional(),
    found: z.string().optional(),
    todo: z.string().optional().describe('What you can do.'),
  })
  .meta({ id: 'Problem' });

export type IndexedImage = z.infer<typeof indexedImage>;
export type FoundImage = z.infer<typeof foundImage>;
export type SearchAnswer = z.infer<typeof searchAnswer>;
export type ComposeAnswer = z.infer<typeof composeAnswer>;
export type EmbedAnswer = z.infer<typeof embedAnswer>;
export type Upload = z.infer<typeof uploadAnswer>;
export type ColumnFacts = z.infer<typeof columnFacts>;
export type IndexAnswer = z.infer<typeof indexAnswer>;
export type ServerAnswer = z.infer<typeof serverAnswer>;
export type ModelAnswer = z.infer<typeof modelAnswer>;
export type ValuesAnswer = z.infer<typeof valuesAnswer>;
export type IndexingJob = z.infer<typeof indexingJob>;
export type IndexingAnswer = z.infer<typeof indexingAnswer>;
export type Problem = z.infer<typeof problem>;
