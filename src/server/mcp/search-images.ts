/** The tool that finds images. */

import type { CallToolResult, McpServer, ResourceLink } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { limits, type SearchAnswer, searchRequest, servedMethods } from '../../api/index.ts';
import { methods } from '../../composition/choices.ts';
import { quoted } from '../../core/index.ts';
import {
  factsOf,
  imageLine,
  imagesField,
  indexField,
  nameOf,
  pathOf,
  referenceOf,
  resourceOf,
} from './images.ts';
import { type Answering, addTool } from './tool.ts';

const mostHits = 20;
const defaultHits = 10;

const description = `Find images in an index by words, by example images, or by both together. The best come first, each with id, score, path and metadata. You do not see the images: call show_images with their ids for that.

How to ask:
- Words alone: text "a red house by the sea". Describe what is to be seen, as a caption would.
- Images alone: images ["4f0c…"] finds what looks like them.
- An image and what should be different: images ["4f0c…"], text "is swimming". The text goes on after "a photo of that image that …", so "but in the snow" and "with a hat" work as well. The images that you start from are left out of the results.
- Several images: call them $1, $2 in the text: "the dog of $1 on the beach of $2".
- Facts such as dates, folders, cameras and ratings belong into filter, not into text. describe_index tells the columns.
- To refine: repeat the call with the ids of good results in more, and of bad ones in less.

Scores are cosine similarities. Compare them within one answer only: for words alone, 0.3 is already good.`;

const input = z.strictObject({
  text: z
    .string()
    .max(limits.textCharacters)
    .optional()
    .describe('What you look for; with images, what should be different, or a whole sentence with $1, $2.'),
  images: imagesField(
    'What the search starts from: ids of images in the index, or addresses of images on the public web (https://…), if the server allows these. Never paths of files.',
  ),
  without: z
    .string()
    .max(limits.textCharacters)
    .optional()
    .describe('What you do not want to see, such as "people".'),
  filter: z
    .string()
    .max(limits.filterCharacters)
    .optional()
    .describe("Only images that pass are ranked, such as: rating >= 4 and taken > '2024-05-01'"),
  more: imagesField('Results that are right: the search moves towards them. Named as in images.'),
  less: imagesField('Results that are wrong: the search moves away from them. Named as in images.'),
  method: z
    .enum(servedMethods)
    .optional()
    .describe(
      `How to compose images and text. Leave it out, unless describe_index says that lincir is not there. ${servedMethods.map((name) => `${name}: ${methods[name].description}`).join('; ')}.`,
    ),
  limit: z.int().min(1).max(mostHits).optional().describe(`How many images. Default: ${defaultHits}.`),
  offset: z.int().min(0).max(limits.deepest).optional().describe('How many of the best to skip, to go on.'),
  index: indexField,
});

const output = z.object({
  index: z.string(),
  method: z.string().describe('How the query was composed.'),
  prompt: z.string().optional().describe('The text that was encoded. $ stands for an image.'),
  images: z
    .array(
      z.object({
        id: z.string(),
        score: z.number(),
        path: z.string(),
        metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      }),
    )
    .describe('The best first.'),
  offset: z.number(),
  hasMore: z.boolean().describe('Whether a larger offset finds further images.'),
});

export function addSearchImages(server: McpServer, answering: Answering): void {
  const title = 'Search images';
  addTool(
    server,
    'search_images',
    {
      ...{ title, description, input, output, fetches: true },
      call: async ({ images, more, less, limit = defaultHits, ...rest }, service, scope) => {
        const request = searchRequest.parse({
          ...rest,
          images: images?.map((name, at) => referenceOf('images', name, at)),
          more: more?.map((name, at) => referenceOf('more', name, at)),
          less: less?.map((name, at) => referenceOf('less', name, at)),
          limit,
          fields: ['path', 'metadata'],
        });
        return answerOf(await service.search(request, scope), request.filter !== undefined);
      },
    },
    answering,
  );
}

function answerOf(
  { index, method, prompt, images, offset, hasMore }: SearchAnswer,
  filtered: boolean,
): CallToolResult {
  const found = images.map((image) => ({
    id: image.id,
    score: Math.round(image.score * 1e4) / 1e4,
    path: pathOf(image),
    metadata: factsOf(image),
  }));
  const links = found.map(
    (image): ResourceLink => ({
      type: 'resource_link',
      uri: resourceOf(index, image.id),
      name: nameOf(image),
      mimeType: 'image/jpeg',
    }),
  );
  const lines = images.map(
    (image, at) => `${offset + at + 1}. ${image.id} ${image.score.toFixed(3)} ${imageLine(image)}`,
  );
  const how = prompt === undefined ? `by ${method}` : `by ${method}, as ${quoted(prompt, 200)}`;
  const first =
    lines.length > 0 ? `The best images of the index ${index}, ${how}:` : nothingFound(index, filtered);
  const last = hasMore ? [`There are more: go on with offset ${offset + found.length}.`] : [];
  return {
    content: [{ type: 'text', text: [first, ...lines, ...last].join('\n') }, ...links],
    structuredContent: {
      index,
      method,
      ...(prompt !== undefined && { prompt }),
      images: found,
      offset,
      hasMore,
    },
  };
}

const nothingFound = (index: string, filtered: boolean): string =>
  `There are no further images in the index ${index}${filtered ? ' that pass the filter' : ''}.`;
