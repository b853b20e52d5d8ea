/** The operations of API v1, as OpenAPI describes them. The routes check requests by the same schemas. */

import { z } from 'zod';
import {
  columnName,
  composeAnswer,
  composeRequest,
  embedAnswer,
  embedRequest,
  imageId,
  imagesRequest,
  indexAnswer,
  indexedImage,
  indexingAnswer,
  indexingRequest,
  indexName,
  modelAnswer,
  searchAnswer,
  searchRequest,
  serverAnswer,
  thumbnailSize,
  uploadAnswer,
  uploadHandle,
  uploadRequest,
  valuesAnswer,
  valuesRequest,
} from '../../api/index.ts';
import type { ProblemStatus } from '../problems.ts';

export interface Operation {
  readonly method: 'get' | 'post' | 'delete';
  /** With parameters in braces. */
  readonly path: string;
  readonly id: string;
  /** The group that the page shows it in. */
  readonly tag: 'Queries' | 'Indexes' | 'Server' | 'Indexing';
  readonly summary: string;
  readonly description?: string;
  /** Of the address. */
  readonly parameters?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** JSON. */
  readonly body?: z.ZodType;
  /** Whether `body` can also come as a form, with files under `image`; or whether the body is an image. */
  readonly takes?: 'forms' | 'an image';
  /** Of the first example of `body`. */
  readonly example?: unknown;
  /** Absent: nothing. */
  readonly answer?: z.ZodType | 'image';
  readonly status?: 200 | 201 | 202 | 204;
  /** Statuses of problems beside those that every operation has. */
  readonly problems?: readonly ProblemStatus[];
  /** Whether it answers without a key. */
  readonly isOpen?: boolean;
}

const inIndex = z.object({ index: indexName.describe('The name of an index.') });
const ofImage = inIndex.extend({ id: imageId.describe('The id of an image.') });
/** Of whatever is computed. */
const computing: readonly ProblemStatus[] = [400, 404, 413, 415, 422];

export const operations: readonly Operation[] = [
  {
    ...{ method: 'get', path: '/api/v1', id: 'server', tag: 'Server' },
    summary: 'What the server has, and what it allows',
    answer: serverAnswer,
  },
  {
    ...{ method: 'post', path: '/api/v1/search', id: 'search', tag: 'Queries' },
    summary: 'Find the images that match images and words',
    description:
      'Give images by id, upload, web address or base64, words, or both. A form takes image files under `image`, and all other fields as the JSON has them: `curl -F image=@dog.jpg -F text="in the snow"`.',
    ...{ body: searchRequest, takes: 'forms', answer: searchAnswer, problems: computing },
    example: { text: 'a red house', limit: 20 },
  },
  {
    ...{ method: 'post', path: '/api/v1/compose', id: 'compose', tag: 'Queries' },
    summary: 'Compose a query, and get its vector alone',
    ...{ body: composeRequest, takes: 'forms', answer: composeAnswer, problems: computing },
    example: { text: 'a red house' },
  },
  {
    ...{ method: 'post', path: '/api/v1/embed', id: 'embed', tag: 'Queries' },
    summary: 'Embed texts and images',
    ...{ body: embedRequest, takes: 'forms', answer: embedAnswer, problems: computing },
    example: { texts: ['a red house', 'a boat at dusk'] },
  },
  {
    ...{ method: 'post', path: '/api/v1/uploads', id: 'upload', tag: 'Queries' },
    summary: 'Send an image, to use its handle in queries',
    description: 'The server keeps its embedding and a thumbnail for a while, and not the image.',
    query: uploadRequest,
    ...{ takes: 'an image', answer: uploadAnswer, status: 201, problems: computing },
  },
  {
    ...{ method: 'get', path: '/api/v1/uploads/{upload}/thumbnail', id: 'uploadThumbnail', tag: 'Queries' },
    summary: 'The thumbnail of an upload',
    parameters: z.object({ upload: uploadHandle.describe('The handle of an upload.') }),
    ...{ answer: 'image', problems: [400, 404] },
  },
  {
    ...{ method: 'get', path: '/api/v1/indexes', id: 'indexes', tag: 'Indexes' },
    summary: 'The indexes, the default one first',
    answer: z.array(indexAnswer),
  },
  {
    ...{ method: 'get', path: '/api/v1/indexes/{index}', id: 'index', tag: 'Indexes' },
    summary: 'What an index has, and what queries of it can use',
    ...{ parameters: inIndex, answer: indexAnswer, problems: [400, 404] },
  },
  {
    ...{ method: 'get', path: '/api/v1/models', id: 'models', tag: 'Server' },
    summary: 'The models of the indexes',
    answer: z.array(modelAnswer),
  },
  {
    ...{ method: 'post', path: '/api/v1/indexes/{index}/images', id: 'images', tag: 'Indexes' },
    summary: 'What the index knows of images',
    description: 'Ids that the index does not have are left out.',
    ...{ parameters: inIndex, body: imagesRequest, problems: [400, 404, 413, 415] },
    answer: z.object({ images: z.array(indexedImage) }),
    example: { ids: ['0123456789abcdef'] },
  },
  {
    ...{ method: 'get', path: '/api/v1/indexes/{index}/images/{id}', id: 'image', tag: 'Indexes' },
    summary: 'What the index knows of an image',
    ...{ parameters: ofImage, answer: indexedImage, problems: [400, 404] },
  },
  {
    ...{
      method: 'get',
      path: '/api/v1/indexes/{index}/images/{id}/thumbnail',
      id: 'thumbnail',
      tag: 'Indexes',
    },
    summary: 'An image, scaled down',
    ...{ parameters: ofImage, answer: 'image', problems: [400, 404, 422] },
    query: z.object({
      size: thumbnailSize.optional().describe('Pixels of the square that it fits into. Default: 320.'),
    }),
  },
  {
    ...{
      method: 'get',
      path: '/api/v1/indexes/{index}/images/{id}/original',
      id: 'original',
      tag: 'Indexes',
    },
    summary: 'The file of an image, if it still lies where it was indexed',
    ...{ parameters: ofImage, answer: 'image', problems: [400, 404, 422] },
  },
  {
    ...{
      method: 'get',
      path: '/api/v1/indexes/{index}/columns/{column}/values',
      id: 'values',
      tag: 'Indexes',
    },
    summary: 'Values that a column has, for suggestions',
    parameters: inIndex.extend({ column: columnName.describe('The name of a column.') }),
    ...{ query: valuesRequest, answer: valuesAnswer, problems: [400, 404] },
  },
  {
    ...{ method: 'get', path: '/api/v1/indexing', id: 'indexing', tag: 'Indexes' },
    summary: 'The folders of the indexes, and what is being indexed',
    description: 'Only if the server allows it: see `allows` of `GET /api/v1`.',
    ...{ answer: indexingAnswer, problems: [404] },
  },
  {
    ...{ method: 'post', path: '/api/v1/indexing', id: 'startIndexing', tag: 'Indexes' },
    summary: 'Bring an index up to date with folders that the server knows',
    description: 'Answers at once. The work goes on in a process of its own, one at a time.',
    ...{ body: indexingRequest, answer: indexingAnswer, status: 202, problems: [400, 404, 409, 413, 415] },
    example: {},
  },
  {
    ...{ method: 'delete', path: '/api/v1/indexing', id: 'stopIndexing', tag: 'Indexes' },
    summary: 'Stop indexing',
    description: 'What is done stays in the index.',
    ...{ answer: indexingAnswer, problems: [404] },
  },
  {
    ...{ method: 'post', path: '/api/v1/session', id: 'signIn', tag: 'Server' },
    summary: 'Sign a page in',
    description:
      'Sets a cookie that stands for the key, for pages of this server: they load pictures without headers.',
    status: 204,
  },
  {
    ...{ method: 'delete', path: '/api/v1/session', id: 'signOut', tag: 'Server' },
    summary: 'Sign a page out',
    ...{ status: 204, isOpen: true },
  },
  {
    ...{ method: 'get', path: '/api/v1/openapi.json', id: 'description', tag: 'Server' },
    summary: 'This description',
    ...{ answer: z.record(z.string(), z.unknown()), isOpen: true },
  },
];
