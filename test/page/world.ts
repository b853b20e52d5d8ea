/** What the page's tests search: drawings with columns and hostile names in an index, and a real server on it. */

import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { loadClip } from '../../src/clip/index.ts';
import { writeSafetensors } from '../../src/files/index.ts';
import { initialPhi, phiShape, phiTensors } from '../../src/phi/index.ts';
import { createApp, defaultSettings, type RunningServer, serve } from '../../src/server/index.ts';
import { openService, type SearchService } from '../../src/service/index.ts';
import { lincir } from '../command-line.ts';

/** Names that would run a script, or pretend to be others, wherever a page takes them for more than text. */
export const hostileNames = [
  '<img src=x onerror=ran=1>.png',
  '"><svg onload=ran=1>.png',
  "'-ran=1-'.png",
  'javascript:ran=1.png',
  '{{constructor.constructor("ran=1")()}}.png',
  'two\nlines\t<script>ran=1<\u200d!--.png',
  'photo\u202egnp.exe.png',
  '%3Cimg src=x onerror=ran=1%3E &lt;b&gt; &amp;.png',
] as const;
export const hostileFolder = '<iframe srcdoc="<script>parent.ran=1<\u200b!--">';
export const hostileValue = '</option><img src=x onerror=ran=1>';

export interface World {
  readonly url: string;
  /** Drawings as files, to give to the page. */
  readonly drawings: readonly string[];
  readonly folder: string;
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  close(): Promise<void>;
}

const port = 0;

/** Draws, indexes, builds the page, and serves. Without phi, the index can only mix. */
export async function makeWorld({ withPhi = true } = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-page-'));
  const page = join(folder, 'web');
  const config = join(import.meta.dirname, '../../web/vite.config.ts');
  const [indexed] = await Promise.all([
    indexDrawings(folder),
    build({ configFile: config, build: { outDir: page } }),
  ]);
  const phi = withPhi ? await writePhi(folder) : undefined;
  let taken = port;
  let service: SearchService;
  let server: RunningServer;
  const startServer = async () => {
    service = await openService({ indexes: [{ name: 'drawings', uri: indexed.index, phi }], threads: 1 });
    const settings = { ...defaultSettings, port: taken, pageFolder: page };
    server = await serve(createApp(service, settings), settings);
    taken = Number(new URL(server.url).port);
  };
  const stopServer = async () => {
    await server.close(100);
    await service.close();
  };
  await startServer();
  return {
    ...{ url: server!.url, drawings: indexed.drawings, folder },
    ...{ startServer, stopServer },
    async close() {
      await stopServer();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function indexDrawings(folder: string) {
  const world = join(folder, 'world');
  await done(['mini', world, '--images', '63', '--queries', '10'], folder);
  const source = join(world, 'COCO2017_unlabeled/unlabeled2017');
  const drawn = (await readdir(source)).sort().map((name) => join(source, name));
  const places = [
    ...drawn.slice(0, 40).map((file, at) => [file, at % 2 ? 'beach' : 'town', `drawing-${at}.png`] as const),
    ...hostileNames.map((name, at) => [drawn[40 + at]!, hostileFolder, name] as const),
  ];
  const pictures = join(folder, 'pictures');
  for (const place of ['beach', 'town', hostileFolder])
    await mkdir(join(pictures, place), { recursive: true });
  for (const [file, place, name] of places) await copyFile(file, join(pictures, place, name));
  const rows = places.map(([, place, name], at) => ({
    path: join(pictures, place, name),
    rating: (at % 5) + 1,
    artist: at >= 40 ? hostileValue : at % 2 ? 'Ada' : 'Zoë',
  }));
  const table = join(folder, 'table.jsonl');
  await writeFile(table, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const index = join(folder, 'drawings.lance');
  await done(['index', pictures, '--index', index, '--model', 'mini', '--metadata', table], folder);
  return { index, drawings: drawn.slice(48) };
}

/** A phi that has learned nothing yet: the page cannot tell. */
async function writePhi(folder: string): Promise<string> {
  const clip = await loadClip('mini');
  const shape = phiShape('lincir', clip.textConfig);
  const { fingerprint } = clip;
  await clip.dispose();
  const path = join(folder, 'phi.safetensors');
  const facts = { shape, model: 'mini', fingerprint, l2Normalize: false, step: 0 };
  await writeSafetensors(path, ...phiTensors(facts, initialPhi(shape, 0)));
  return path;
}

async function done(args: readonly string[], folder: string): Promise<void> {
  const { code, stderr } = await lincir(args, { folder });
  if (code !== 0) throw new Error(`lincir ${args[0]}: ${stderr}`);
}
