/** The tool that shows images, within what hosts take as one answer. */

import type { CallToolResult, ContentBlock, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { imageId } from '../../api/index.ts';
import { LincirError } from '../../core/index.ts';
import type { RequestScope, SearchService, ServedFile } from '../../service/index.ts';
import { checkedRequest } from '../requests.ts';
import { imageLine, indexField } from './images.ts';
import { type Answering, addTool, errorText } from './tool.ts';

const most = { images: 8, side: 512, bytes: 700_000 } as const;
const leastSide = 64;

const description = `Look at images of an index, by the ids that search_images gives: up to ${most.images} at once, as JPEGs of at most ${most.side} pixels. Use it to check which results are right before you tell of them, and to describe images. If your host says that the answer is too large, ask for fewer ids, or a smaller side.`;

const input = z.strictObject({
  ids: z
    .array(imageId)
    .min(1)
    .max(most.images)
    .describe(`Ids of images, 1 to ${most.images}, in the order in which you want to see them.`),
  side: z
    .int()
    .min(leastSide)
    .max(most.side)
    .optional()
    .describe(`Pixels of the longer side. Default: ${most.side}. 224 is enough to tell what an image shows.`),
  index: indexField,
});

export function addShowImages(server: McpServer, answering: Answering): void {
  const title = 'Show images';
  addTool(
    server,
    'show_images',
    // Without structured content, because some hosts show a model nothing else if it is there: no images.
    {
      ...{ title, description, input },
      call: async ({ ids, side = most.side, index }, service, scope) => {
        return await show(ids, side, index, service, scope, answering.onError);
      },
    },
    answering,
  );
}

async function show(
  ids: readonly string[],
  side: number,
  index: string | undefined,
  service: SearchService,
  scope: RequestScope,
  onError: Answering['onError'],
): Promise<CallToolResult> {
  const [facts, pictures] = await Promise.all([
    service.images(index, { ids: [...ids], fields: ['path', 'metadata'] }),
    thumbnails(ids, side, index, service, scope),
  ]);
  if (pictures.every((picture) => picture.status === 'rejected')) throw pictures[0]!.reason;
  const content = pictures.flatMap((picture, at): ContentBlock[] => {
    const id = ids[at]!;
    const known = facts.find((one) => one.id === id) ?? { id };
    const title = `${at + 1}. ${id} ${imageLine(known)}`;
    if (picture.status === 'rejected') {
      return [{ type: 'text', text: `${title}\n${errorText(picture.reason, onError)}` }];
    }
    const { bytes, type } = picture.value;
    return [
      { type: 'text', text: title },
      { type: 'image', mimeType: type, data: Buffer.from(bytes).toString('base64') },
    ];
  });
  return { content };
}

/** Thumbnails that fit into one answer: all of them as small as the largest ones demand. */
async function thumbnails(
  ids: readonly string[],
  side: number,
  index: string | undefined,
  service: SearchService,
  scope: RequestScope,
): Promise<PromiseSettledResult<ServedFile>[]> {
  for (let pixels = side; ; pixels = Math.floor(pixels * 0.75)) {
    const pictures = await Promise.allSettled(ids.map((id) => service.thumbnail(index, id, pixels, scope)));
    scope.signal.throwIfAborted();
    const bytes = pictures.reduce(
      (sum, one) => sum + (one.status === 'fulfilled' ? one.value.bytes.length : 0),
      0,
    );
    if (bytes <= most.bytes) return pictures;
    if (pixels <= leastSide) {
      throw new LincirError('bad-argument', {
        subject: '`ids`',
        expected: `images that take at most ${most.bytes} bytes together`,
        found: `${bytes}`,
        todo: 'ask for fewer',
      });
    }
  }
}

/** An image for a resource: one of those, as large as it gets. */
export async function imageOf(
  service: SearchService,
  index: string,
  id: unknown,
  scope: RequestScope,
): Promise<ServedFile> {
  const [picture] = await thumbnails(
    [checkedRequest(imageId, id, 'the id of the image')],
    most.side,
    index,
    service,
    scope,
  );
  if (picture!.status === 'rejected') throw picture!.reason;
  return picture!.value;
}
