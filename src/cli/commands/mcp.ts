/** `lincir mcp`: answers the assistant that has started it, over standard input and output. */

import { serveMcpOverStdio } from '../../server/index.ts';
import type { ServiceOptions } from '../../service/index.ts';
import type { Context } from '../context.ts';
import { indexesToServe } from '../serving/indexes.ts';

interface McpCommandOptions extends Pick<ServiceOptions, 'model' | 'device' | 'threads'> {
  readonly index: readonly string[];
  readonly phi?: readonly string[];
  readonly idle: number;
  readonly requestSeconds: number;
  readonly imageUrls: boolean;
}

/** Standard output belongs to the protocol: everything else goes to standard error, which hosts keep as a log. */
export async function mcp(options: McpCommandOptions, { reporter, signal }: Context): Promise<void> {
  const { index, phi = [], idle: idleSeconds, imageUrls: allowImageUrls, requestSeconds } = options;
  const indexes = indexesToServe(index, phi);
  // Hosts wait for the first answer, which does not need the service. Its libraries take a while to load.
  const opening = import('../../service/index.ts').then(({ openService }) =>
    openService({
      ...{ ...options, indexes, idleSeconds, allowImageUrls },
      onEvent: (event) => {
        if (event.kind === 'note') reporter.note(event.text);
      },
    }),
  );
  // Whether the indexes can be opened is known before anything is asked of them.
  const failed = new AbortController();
  opening.catch(() => failed.abort());
  await serveMcpOverStdio(
    () => opening,
    { requestSeconds, onError: (message) => reporter.note(message) },
    AbortSignal.any([signal, failed.signal]),
  );
  await (await opening).close();
}
