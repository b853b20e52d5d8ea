/** A server with images of the miniature world, which clients of clip-retrieval reach over a socket. */

import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { loadClip } from '../../src/clip/index.ts';
import { openIndex } from '../../src/indexing/index.ts';
import { buildBenchmark, miniImages, writeMiniBenchmark } from '../../src/mini/index.ts';
import { openMetadata } from '../../src/pictures/index.ts';
import { createApp, defaultSettings, type RunningServer, serve } from '../../src/server/index.ts';
import { openService, type SearchService } from '../../src/service/index.ts';

export interface World {
  readonly server: RunningServer;
  readonly service: SearchService;
  /** The path of an image, by its number from 0. */
  picture(number: number): string;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  json: 'application/json',
  png: 'image/png',
};

/** Draws and indexes so many images, each with a caption, and serves them. */
export async function serveWorld(folder: string, count: number, allowedOrigins: string[]): Promise<World> {
  const world = buildBenchmark(1, { gallery: count, queries: 4 });
  await writeMiniBenchmark(folder, world);
  const names = world.gallery.map(({ id }) => `${`${id}`.padStart(12, '0')}.png`);
  const table = join(folder, 'captions.csv');
  await writeFile(
    table,
    ['path,caption', ...names.map((name, at) => `${miniImages}/${name},scene ${at}`)].join('\n'),
  );
  const uri = join(folder, 'world.lance');
  const clip = await loadClip('mini');
  const index = await openIndex(uri, { access: 'write', clip });
  for await (const _ of index.add(clip, { images: [join(folder, miniImages)] }));
  await index.annotate(await openMetadata(table, { reserved: new Set() }), []);
  await index.close();
  await clip.dispose();
  const service = await openService({ indexes: [{ name: 'world', uri }] });
  const settings = { ...defaultSettings, port: 0, knnService: true, allowedOrigins };
  const server = await serve(createApp(service, settings), settings);
  return {
    ...{ server, service },
    picture: (number) => join(folder, miniImages, names[number]!),
    async close() {
      await server.close(0);
      await service.close();
    },
  };
}

/** Serves the files of a folder, at another origin. */
export async function serveFiles(
  folder: string,
): Promise<{ readonly origin: string; readonly files: Server }> {
  const files = createServer(async ({ url }, response) => {
    const path = normalize(new URL(url!, 'http://x').pathname);
    const name = path === '/' ? '/index.html' : path;
    try {
      const bytes = await readFile(join(folder, name));
      response.setHeader('content-type', types[name.split('.').at(-1)!] ?? 'application/octet-stream');
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${(files.address() as AddressInfo).port}`, files };
}
