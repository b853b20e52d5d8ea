/** The served indexes and their images as resources that a host can attach. */

import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
  type ServerContext,
  type Variables,
} from '@modelcontextprotocol/server';
import { indexName } from '../../api/index.ts';
import { LincirError } from '../../core/index.ts';
import { checkedRequest } from '../requests.ts';
import { describeIndex, descriptionText } from './describe-index.ts';
import { imageOf } from './show-images.ts';
import { type Answering, errorText } from './tool.ts';

export function addResources(server: McpServer, answering: Answering): void {
  const names = async (prefix = '') =>
    (await answering.service()).names.filter((name) => name.startsWith(prefix));
  const complete = { index: names };

  const list = async () => ({
    resources: (await names()).map((name) => ({ uri: `lincir://${name}`, name, title: `The index ${name}` })),
  });
  server.registerResource(
    'index',
    new ResourceTemplate('lincir://{index}', { list, complete }),
    { title: 'Index', description: 'What an index of images has.', mimeType: 'text/plain' },
    async ({ href: uri }, variables, context) => {
      const text = await read(uri, answering, context, async () =>
        descriptionText(await describeIndex(await answering.service(), indexOf(variables))),
      );
      return { contents: [{ uri, mimeType: 'text/plain', text }] };
    },
  );

  server.registerResource(
    'image',
    new ResourceTemplate('lincir://{index}/images/{id}', { list: undefined, complete }),
    {
      title: 'Image',
      description:
        'An image of an index by its id, which search_images tells, as a JPEG of at most 512 pixels.',
      mimeType: 'image/jpeg',
    },
    async ({ href: uri }, variables, context) => {
      const { bytes, type } = await read(uri, answering, context, async () =>
        imageOf(await answering.service(), indexOf(variables), variables.id, answering.scope(context)),
      );
      return { contents: [{ uri, mimeType: type, blob: Buffer.from(bytes).toString('base64') }] };
    },
  );
}

const indexOf = ({ index }: Variables): string => checkedRequest(indexName, index, 'the index');

/** Resources have no answers that are errors: these are the protocol's own. */
async function read<T>(
  uri: string,
  { onError }: Answering,
  { mcpReq: { signal } }: ServerContext,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted(); // Nobody reads the answer.
    const text = errorText(error, onError);
    const isMissing = error instanceof LincirError && ['not-found', 'bad-argument'].includes(error.code);
    if (isMissing) throw new ResourceNotFoundError(uri, text);
    throw new ProtocolError(ProtocolErrorCode.InternalError, text);
  }
}
