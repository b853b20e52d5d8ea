/** The description of API v1 in OpenAPI 3.1, made from the schemas that check it. */

import type { z } from 'zod';
import { formatBytes } from '../../core/index.ts';
import { type ProblemStatus, problemKinds } from '../problems.ts';
import { jsonBytes } from '../requests.ts';
import { version } from '../version.ts';
import { JsonSchemas, reference } from './json-schemas.ts';
import { type Operation, operations } from './operations.ts';

type Json = Record<string, unknown>;

const schemas = new JsonSchemas();
let made: Json | undefined;

export function openApiDocument(): Json {
  made ??= {
    openapi: '3.1.0',
    info: {
      title: 'lincir',
      version,
      summary: 'Composed image retrieval: finds images with an image and a few words.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    // Where the description is, so is the rest.
    servers: [{ url: '../..' }],
    // Without keys, nobody needs one.
    security: [{ key: [] }, {}],
    tags: ['Queries', 'Indexes', 'Server'].map((name) => ({ name })),
    paths: paths(),
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A key of the server, if it has any.' },
      },
      schemas: schemas.named(),
      responses: Object.fromEntries(
        Object.entries(problemKinds).map(([status, [title]]) => [
          `Problem${status}`,
          {
            description: title,
            ...(status === '503' && {
              headers: { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } },
            }),
            content: { 'application/problem+json': { schema: { $ref: reference('Problem') } } },
          },
        ]),
      ),
    },
  };
  return made;
}

function paths(): Json {
  const all: Record<string, Json> = {};
  for (const operation of operations) {
    all[operation.path] ??= {};
    all[operation.path]![operation.method] = described(operation);
  }
  return all;
}

function described(operation: Operation): Json {
  const { id, tag, summary, description, isOpen, status = 200, problems = [] } = operation;
  const refused: readonly ProblemStatus[] = [...(isOpen ? [] : [401 as const]), 403, ...problems, 500, 503];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(isOpen && { security: [] }),
    ...parametersOf(operation),
    ...bodyOf(operation),
    responses: {
      [status]: { description: summary, ...answerOf(operation) },
      ...Object.fromEntries(refused.map((one) => [one, { $ref: `#/components/responses/Problem${one}` }])),
    },
  };
}

function parametersOf({ parameters, query }: Operation): Json {
  const all = [
    ...Object.entries(parameters?.shape ?? {}).map((entry) => parameter('path', ...entry)),
    ...Object.entries(query?.shape ?? {}).map((entry) => parameter('query', ...entry)),
  ];
  return all.length === 0 ? {} : { parameters: all };
}

function parameter(place: 'path' | 'query', name: string, type: z.core.$ZodType): Json {
  const { description, ...schema } = schemas.of(type as z.ZodType);
  return {
    name,
    in: place,
    required: place === 'path',
    ...(description !== undefined && { description }),
    schema,
  };
}

function bodyOf({ body, takes, example }: Operation): Json {
  if (takes === 'an image') {
    const bytes = { type: 'string', contentMediaType: 'application/octet-stream' };
    const form = { type: 'object', properties: { image: bytes }, required: ['image'] };
    return {
      requestBody: {
        required: true,
        content: {
          'application/octet-stream': { schema: {} },
          'image/*': { schema: {} },
          'multipart/form-data': { schema: form },
        },
      },
    };
  }
  if (!body) return {};
  const json = { schema: schemas.of(body), ...(example !== undefined && { example }) };
  return {
    requestBody: {
      required: true,
      description: `JSON of at most ${formatBytes(jsonBytes)}.`,
      content: { 'application/json': json, ...(takes === 'forms' && formOf(body)) },
    },
  };
}

/** The fields of a request, and files. Fields that are no text are JSON. */
function formOf(body: z.ZodType): Json {
  const { properties } = schemas.whole(body) as { properties: Json };
  const file = { type: 'string', contentMediaType: 'application/octet-stream' };
  const image = { type: 'array', items: file, description: 'Files: the first images of the query.' };
  const schema = { type: 'object', properties: { image, ...properties } };
  return { 'multipart/form-data': { schema } };
}

function answerOf({ answer }: Operation): Json {
  if (answer === undefined) return {};
  if (answer === 'image') return { content: { 'image/*': { schema: {} } } };
  return { content: { 'application/json': { schema: schemas.of(answer) } } };
}
