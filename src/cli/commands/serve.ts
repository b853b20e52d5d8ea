/** `lincir serve`: answers browsers and programs until it is told to stop. */

import { LincirError, quoted } from '../../core/index.ts';
import {
  createApp,
  defaultSettings,
  expectGuarded,
  serve as listen,
  type ServerSettings,
} from '../../server/index.ts';
import { type IndexToServe, openService, type ServiceOptions, servedName } from '../../service/index.ts';
import type { Context } from '../context.ts';
import { openAddress } from '../open-file.ts';
import { readKeys, readToken } from '../serving/keys.ts';

interface ServeCommandOptions
  extends Pick<ServiceOptions, 'model' | 'device' | 'threads' | 'workers' | 'queue'>,
    Pick<ServerSettings, 'host' | 'port' | 'requestSeconds' | 'publicUrl'> {
  readonly index?: readonly string[];
  readonly phi?: readonly string[];
  readonly open?: boolean;
  readonly idle?: number;
  readonly apiKeyFile?: string;
  readonly key: boolean;
  readonly allowedHost?: readonly string[];
  readonly allowedOrigin?: readonly string[];
  /** A file, or no file. */
  readonly knnService?: string | true;
  readonly imageUrls: boolean;
  readonly log?: boolean;
}

/** Milliseconds for answers that are due when it is told to stop. */
const patience = 20_000;

export async function serve(
  options: ServeCommandOptions,
  { print, reporter, signal }: Context,
): Promise<void> {
  const { knnService: knn = false, publicUrl } = options;
  const settings: ServerSettings = {
    ...defaultSettings,
    ...{ host: options.host, port: options.port, requestSeconds: options.requestSeconds },
    keys: options.key ? await readKeys(options.apiKeyFile, process.env) : [],
    withoutKey: !options.key,
    allowedHosts: options.allowedHost ?? [],
    allowedOrigins: options.allowedOrigin ?? [],
    knnService: typeof knn === 'string' ? { token: await readToken(knn) } : knn,
    publicUrl,
    onError: (message) => reporter.note(message),
    ...(options.log && { onRequest: print }),
  };
  expectGuarded(settings);
  const service = await openService({
    ...options,
    indexes: indexesToServe(options.index ?? [], options.phi ?? []),
    idleSeconds: options.idle,
    allowImageUrls: options.imageUrls,
    onEvent: (event) => {
      if (event.kind === 'note') reporter.note(event.text);
    },
  });
  try {
    const server = await listen(createApp(service, settings), settings);
    reporter.note(`lincir serve: ${server.url}`);
    if (options.open) await openAddress(server.url);
    await stopped(signal);
    reporter.note('stopping: what is begun is answered');
    await server.close(patience);
  } finally {
    await service.close();
  }
}

/** Joins indexes with their phis. A phi without a name is that of all indexes that have none of their own. */
function indexesToServe(uris: readonly string[], phis: readonly string[]): IndexToServe[] {
  const indexes = uris.map(servedName);
  const names = new Set(indexes.map(({ name }) => name));
  if (names.size < indexes.length) {
    throw new LincirError('bad-argument', {
      subject: '--index',
      expected: 'different names',
      found: indexes.map(({ name }) => name).join(', '),
      todo: 'name them yourself: NAME=URI',
    });
  }
  const own = new Map<string, string>();
  let shared: string | undefined;
  for (const given of phis) {
    const at = given.indexOf('=');
    const name = given.slice(0, Math.max(at, 0));
    if (names.has(name) && !own.has(name)) own.set(name, given.slice(at + 1));
    else if (shared === undefined && !/^[\w.-]{1,64}=/.test(given)) shared = given;
    else {
      throw new LincirError('bad-argument', {
        subject: '--phi',
        expected: `one for all indexes, or NAME=PHI for each of ${[...names].join(', ') || 'them'}`,
        found: quoted(given),
      });
    }
  }
  return indexes.map((index) => ({ ...index, phi: own.get(index.name) ?? shared }));
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
