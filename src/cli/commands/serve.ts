/** `lincir serve`: answers browsers and programs until it is told to stop. */

import {
  createApp,
  defaultSettings,
  expectGuarded,
  Indexing,
  serve as listen,
  Metrics,
  type ServerSettings,
} from '../../server/index.ts';
import { openService, type ServiceOptions } from '../../service/index.ts';
import { type Context, interrupted } from '../context.ts';
import { refuseIdle } from '../idle-options.ts';
import { openAddress } from '../open-file.ts';
import { madeDemo } from '../serving/demo.ts';
import { foldersOf } from '../serving/folders.ts';
import { indexesToServe } from '../serving/indexes.ts';
import { readKeys, readToken } from '../serving/keys.ts';
import { makeIfMissing } from '../serving/new-index.ts';
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
  readonly allowIndexing?: boolean;
  readonly demo?: boolean;
}

/** Milliseconds for answers that are due when it is told to stop. */
const patience = 20_000;

export async function serve(options: ServeCommandOptions, context: Context): Promise<void> {
  const { print, reporter, signal } = context;
  const { knnService: knn = false, publicUrl, demo = false, model, device, threads } = options;
  const given = indexesToServe(options.index ?? [], options.phi ?? []);
  const folders = foldersOf(options.folder ?? [], given);
  const follows = options.watch === true || options.allowIndexing === true;
  refuseIdle([
    ['--demo', demo, given.length === 0, 'no --index'],
    ['--watch', options.watch, folders.size > 0, '--folder as well'],
    ['--folder', options.folder, follows, '--watch or --allow-indexing as well'],
    ['--allow-indexing', options.allowIndexing, given.length > 0, '--index as well'],
  ]);
  const toUpdate = given.map(({ name, uri }) => ({ name, uri, folders: folders.get(name) ?? [] }));
  const indexing = options.allowIndexing
    ? new Indexing({ indexes: toUpdate, model, device, threads })
    : undefined;
  const settings: ServerSettings = {
    ...defaultSettings,
    ...{ host: options.host, port: options.port, requestSeconds: options.requestSeconds },
    keys: options.key ? await readKeys(options.apiKeyFile, process.env) : [],
    withoutKey: !options.key,
    allowedHosts: options.allowedHost ?? [],
    allowedOrigins: options.allowedOrigin ?? [],
    knnService: typeof knn === 'string' ? { token: await readToken(knn) } : knn,
    mcp: options.mcp,
    ...{ publicUrl, demo, indexing },
    onError: (message) => reporter.note(message),
    ...(options.log && { onRequest: print }),
  };
  expectGuarded(settings);
  const metrics = new Metrics();
  metrics.watchProcess();
  for (const index of toUpdate)
    if (index.folders.length > 0) await makeIfMissing(index.uri, options, context);
  const indexes = demo ? [await madeDemo(context)] : given;
  const service = await openService({
    ...options,
    indexes,
    model: demo ? 'mini' : model, // its index may know where an earlier version of the package was
    idleSeconds: options.idle,
    preload: options.idle === undefined,
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
    const watches = toUpdate.flatMap(({ name, uri, folders: images }) => {
      return options.watch && images.length > 0
        ? [keepUpToDate(name, { uri, model, device, threads, options: { images } }, context)]
        : [];
    });
    await interrupted(signal);
    reporter.note('stopping: what is begun is answered');
    await Promise.all([server.close(patience), indexing?.close(), ...watches]);
  } finally {
    await service.close();
  }
}
