/** Writes what a search found, for people, pipes and programs. */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { formatCounted } from '../../core/index.ts';
import { writeFileAtomically } from '../../files/index.ts';
import { type ImageIndex, imageBytes } from '../../indexing/index.ts';
import { isS3, memberMark, thumbnailOf } from '../../pictures/index.ts';
import type { SearchResults } from '../../search/index.ts';
import type { Hit } from '../../store/index.ts';
import { type TerminalGraphics, terminalImage } from '../terminal/pictures.ts';
import { askedFacts, labelOf } from './facts.ts';
import { type RankedImage, resultsPage } from './page.ts';

/** Columns that a line leaves out, unless the filter names them. */
const quietColumns: ReadonlySet<string> = new Set(['lens', 'latitude', 'longitude', 'width', 'height']);
/** Height of an image in a terminal, in lines. */
const pictureRows = 8;

/** One object: the query, the results and the time of each stage in milliseconds. */
export function asJson({
  request,
  query,
  references,
  hits,
  index,
  model,
  phi,
  timings,
}: SearchResults): string {
  const { method, prompt = null, weight = null, withoutWeight = null } = query;
  const { text = null, without = null, where = null, top, page, minScore = null } = request;
  const { unique = false, includeReference = false, exact = false } = request;
  return JSON.stringify({
    query: {
      ...{ method, prompt, text, weight, without, withoutWeight, where, top, page, minScore },
      ...{ unique, includeReference, exact, phi: phi ?? null, model, index },
      images: references.map(({ name, id = null, hash }) => ({ name, id, hash })),
    },
    results: hits.map((hit, at) => ({ rank: rankOf(request, at), ...hit })),
    timings,
  });
}

/** Paths, each ended by a line end, or by a zero byte, because names may have line ends. */
export function asPaths({ hits }: SearchResults, end: '\n' | '\0'): string {
  return hits.map(({ path }) => `${path}${end}`).join('');
}

/** A line for each result, with its image above it if the terminal shows images. */
export async function* asText(
  { request, hits }: SearchResults,
  graphics: TerminalGraphics | undefined,
  index: ImageIndex,
): AsyncGenerator<string, void, void> {
  const width = `${rankOf(request, hits.length - 1)}`.length;
  for (const [at, hit] of hits.entries()) {
    const picture = graphics && (await picturesBytes(hit, index));
    const drawn = picture && (await terminalImage(picture, graphics, { rows: pictureRows }));
    if (drawn) yield drawn;
    const details = Object.entries(hit.metadata).filter(
      ([name, value]) => value !== null && (!quietColumns.has(name) || request.where?.includes(name)),
    );
    const metadata = details.map(([name, value]) => `  ${shown(`${name}=${value}`)}`).join('');
    const rank = `${rankOf(request, at)}`.padStart(width);
    yield `${rank}  ${hit.score.toFixed(4)}  ${shown(shortest(hit.path))}  ${hit.id}${metadata}`;
    for (const { score, path, id } of hit.duplicates ?? []) {
      yield `${'='.padStart(width)}  ${score.toFixed(4)}  ${shown(shortest(path))}  ${id}`;
    }
  }
  if (hits.length === 0) yield 'nothing found';
}

export function timingLines({ timings }: SearchResults): string[] {
  const all = Object.entries(timings);
  const total = all.reduce((sum, [, milliseconds]) => sum + milliseconds, 0);
  return [...all, ['in all', total] as const].map(
    ([stage, milliseconds]) => `${stage.padEnd(18)} ${milliseconds.toFixed(1).padStart(8)} ms`,
  );
}

/** Writes the page; without a path, to a new folder for temporary files. Returns its path. */
export async function writePage(results: SearchResults, target: ImageIndex, path?: string): Promise<string> {
  const { request, query, references, hits, timings, index, model } = results;
  const page = await resultsPage({
    title: query.prompt ?? references.map(labelOf).join(', '),
    prompt: query.prompt,
    ...{ asked: askedFacts(results), index, model, searched: (await target.statistics()).images },
    references: await Promise.all(
      references.map(async (reference) => {
        const { image } = reference;
        const bytes =
          image instanceof Uint8Array ? image : await picturesBytes(image as { path: string }, target);
        return { label: labelOf(reference), thumbnail: bytes && (await thumbnailOf(bytes)) };
      }),
    ),
    results: await Promise.all(
      hits.map(async (hit, at) => {
        const bytes = await picturesBytes(hit, target);
        return {
          ...{ rank: rankOf(request, at), score: hit.score, path: hit.path, details: hit.metadata },
          ...(bytes && linkTo(hit.path)),
          thumbnail: bytes && (await thumbnailOf(bytes)),
          duplicates: (hit.duplicates ?? []).map(({ path }) => ({ path, ...linkTo(path) })),
        };
      }),
    ),
    milliseconds: Object.values(timings).reduce((sum, value) => sum + value, 0),
  });
  const written = path ?? join(await mkdtemp(join(tmpdir(), 'lincir-')), 'results.html');
  await writeFileAtomically(written, (file) => file.writeFile(page));
  return written;
}

export function foundLine({ hits, timings }: SearchResults, pictures: number): string {
  const milliseconds = Object.values(timings).reduce((sum, value) => sum + value, 0);
  return `${hits.length} of ${formatCounted(pictures, 'images')} in ${Math.round(milliseconds)} ms`;
}

/** An image's bytes if its file is still there. */
async function picturesBytes(
  { path }: Pick<Hit, 'path'>,
  index: ImageIndex,
): Promise<Uint8Array | undefined> {
  return await imageBytes(path, index).catch(() => undefined);
}

/** A member of a shard has no address, and a browser opens none of object storage. */
function linkTo(path: string): Pick<RankedImage, 'href'> {
  return path.includes(memberMark) || isS3(path) ? {} : { href: pathToFileURL(path).href };
}

function rankOf({ top, page }: SearchResults['request'], at: number): number {
  return (page - 1) * top + at + 1;
}

/** The absolute path or the relative one, whichever is shorter. */
function shortest(path: string): string {
  const here = relative('.', path);
  return here.length < path.length ? here : path;
}

/** Text in one line, without control characters. */
function shown(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}
