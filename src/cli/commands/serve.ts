/** `lincir serve`: answers browsers and programs until it is told to stop. */

import {
  createApp,
  defaultSettings,
  expectGuarded,
  serve as listen,
  Metrics,
  type ServerSettings,
} from '../../server/index.ts';
import { openService, type ServiceOptions } from '../../service/index.ts';
import type { Context } from '../context.ts';
import { refuseIdle } from '../idle-options.ts';
import { openAddress } from '../open-file.ts';
import { foldersOf } from '../serving/folders.ts';
import { indexesToServe } from '../serving/indexes.ts';
import { readKeys, readToken } from '../serving/keys.ts';
import { keepUpToDate } from '../serving/watch.ts';

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
  readonly mcp: boolean;
  readonly log?: boolean;
  readonly watch?: boolean;
  readonly folder?: readonly string[];
}

/** Milliseconds for answers that are due when it is told to stop. */
const patience = 20_000;

export async function serve(options: ServeCommandOptions, context: Context): Promise<void> {
  const { print, reporter, signal } = context;
  const { knnService: knn = false, publicUrl } = options;
  const settings: ServerSettings = {
    ...defaultSettings,
    ...{ host: options.host, port: options.port, requestSeconds: options.requestSeconds },
    keys: options.key ? await readKeys(options.apiKeyFile, process.env) : [],
    withoutKey: !options.key,
    allowedHosts: options.allowedHost ?? [],
    allowedOrigins: options.allowedOrigin ?? [],
    knnService: typeof knn === 'string' ? { token: await readToken(knn) } : knn,
    mcp: options.mcp,
    publicUrl,
    onError: (message) => reporter.note(message),
    ...(options.log && { onRequest: print }),
  };
  expectGuarded(settings);
  const metrics = new Metrics();
  metrics.watchProcess();
  const indexes = indexesToServe(options.index ?? [], options.phi ?? []);
  const folders = foldersOf(options.folder ?? [], indexes);
  refuseIdle([
    ['--watch', options.watch, folders.size > 0, '--folder as well'],
    ['--folder', options.folder, options.watch === true, '--watch as well'],
  ]);
  const service = await openService({
    ...options,
    indexes,
    idleSeconds: options.idle,
    allowImageUrls: options.imageUrls,
    onEvent: (event) => {
      metrics.take(event);
      if (event.kind === 'note') reporter.note(event.text);
    },
  });
  try {
    const server = await listen(createApp(service, settings, metrics), settings);
    reporter.note(`lincir serve: ${server.url}`);
    if (options.open) await openAddress(server.url);
    const { model, device, threads } = options;
    const watches = indexes.flatMap(({ name, uri }) => {
      const images = folders.get(name);
      return images
        ? [keepUpToDate(name, { uri, model, device, threads, options: { images } }, context)]
        : [];
    });
    await stopped(signal);
    reporter.note('stopping: what is begun is answered');
    await Promise.all([server.close(patience), ...watches]);
  } finally {
    await service.close();
  }
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
