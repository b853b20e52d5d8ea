/** ImageNet domain conversion (Saito et al., Pic2Word, CVPR 2023): what a photo shows, as a cartoon, origami, toy or sculpture. */

import { existsSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { LincirError, quoted } from '../../core/index.ts';
import { fileLines } from '../../files/index.ts';
import type {
  Benchmark,
  BenchmarkImage,
  BenchmarkKind,
  BenchmarkQuery,
  OpenBenchmarkOptions,
} from '../benchmark.ts';
import { expectConsistent, expectCount, pathWithin, protocolOf } from './annotations.ts';

/** Number of targets in each domain. */
const published: Readonly<Record<string, number>> = {
  cartoon: 3726,
  origami: 550,
  toy: 1511,
  sculpture: 1196,
  real: 10_000,
};
const publishedQueries = 10_000;
/** Thousands that the list of targets adds to a class, by domain. */
const offsets: Readonly<Record<string, number>> = { cartoon: 0, origami: 1, toy: 2, sculpture: 3, real: 6 };
const domains = ['cartoon', 'origami', 'toy', 'sculpture'];
const cuts = [10, 50];

export const imagenetDomains: BenchmarkKind = {
  name: 'imagenet-domains',
  description: 'ImageNet domain conversion: photos as cartoons, origami, toys and sculptures',
  splits: [],
  variants: [],
  parts: domains,
  source:
    'imgnet_real_query.txt and imgnet_targets.txt, in the folder or in imgnet/ or data/ in it, from data/imgnet of ' +
    'https://github.com/google-research/composed_image_retrieval; imgnet/real/SYNSET/ with the validation photos of ' +
    'ImageNet, and imgnet/imagenet-r/SYNSET/ from https://github.com/hendrycks/imagenet-r',
  open,
};

async function open(folder: string, options: OpenBenchmarkOptions): Promise<Benchmark> {
  const { parts: wanted, preset } = protocolOf(imagenetDomains, options);
  const root = resolve(folder);
  const photoFile = locate(root, 'imgnet_real_query.txt');
  const targetFile = locate(root, 'imgnet_targets.txt');
  const classes = new Map<string, number>();
  const photos = await readList(root, photoFile, classes, { real: 0 });
  expectCount(photoFile, 'photos', photos.length, publishedQueries, options);
  const targets = await readList(root, targetFile, classes, offsets);
  for (const [domain, count] of Object.entries(published)) {
    const found = targets.filter((target) => target.domain === domain).length;
    expectCount(targetFile, `images of the domain ${domain}`, found, count, options);
  }

  const images = new Map<string, BenchmarkImage>();
  for (const { id, path } of [...photos, ...targets]) images.set(id, { id, path });
  const answers = Map.groupBy(targets, ({ domain, label }) => `${domain} ${label}`);
  const queries = wanted.flatMap((domain): BenchmarkQuery[] => {
    // Shared, because there are 40,000 queries.
    const text = [domain];
    const right = new Map(
      [...new Set(photos.map(({ label }) => label))].map((label) => [
        label,
        (answers.get(`${domain} ${label}`) ?? []).map(({ id }) => id),
      ]),
    );
    return photos.map(({ id, label }) => ({
      id: `${domain}/${posix.parse(id).name}`,
      reference: id,
      texts: text,
      gallery: 'all',
      targets: right.get(label)!,
      groups: text,
    }));
  });
  const galleries = new Map([['all', targets.map(({ id }) => id)]]);
  const benchmark = { images: [...images.values()], galleries, queries };
  expectConsistent(root, benchmark);
  return {
    name: imagenetDomains.name,
    preset,
    folder: root,
    ...benchmark,
    prompt: { composed: 'a {text} of $', text: 'a {text}' },
    topK: Math.max(...cuts),
    metrics: [...cuts.map((k) => `R@${k}`), ...cuts.map((k) => `P@${k}`)],
    primaryMetric: 'R@10',
    mean: 'queries',
    score,
  };
}

/** R@k: the part of all right images among the first k, 0 if there are none. P@k: the part of the first k that is right. */
const score: Benchmark['score'] = ({ targets }, { gallery = [] }) => {
  const right = targets!;
  const values: Record<string, number> = {};
  for (const k of cuts) {
    const first = new Set(gallery.slice(0, k));
    const hits = right.filter((id) => first.has(id)).length;
    values[`R@${k}`] = right.length === 0 ? 0 : hits / right.length;
    values[`P@${k}`] = hits / k;
  }
  return values;
};

function locate(folder: string, name: string): string {
  const places = [folder, join(folder, 'imgnet'), join(folder, 'data')];
  for (const place of places) {
    const path = join(place, name);
    if (existsSync(path)) return path;
  }
  throw new LincirError('not-found', {
    subject: name,
    expected: `the list in ${places.join(', ')}`,
    found: 'no such file',
    todo: 'get it from data/imgnet of https://github.com/google-research/composed_image_retrieval',
  });
}

/** An image of a list. Its id is its path in the list. */
interface Listed extends BenchmarkImage {
  readonly domain: string;
  /** Its class, without the domain's thousands. */
  readonly label: number;
}

/**
 * Reads lines of a path and a class, to which the domain adds some thousands. The name of an image begins with its
 * domain, unless it is a photo. So each line says its domain twice.
 * @param classes by synset, the name of an image's folder; classes of this list are added
 * @param thousands for the domains that the list may have
 * @throws LincirError 'not-found', 'io'; 'bad-file' naming a line that contradicts this
 */
async function readList(
  folder: string,
  file: string,
  classes: Map<string, number>,
  thousands: Readonly<Record<string, number>>,
): Promise<Listed[]> {
  const listed: Listed[] = [];
  for await (const line of fileLines(file)) {
    const subject = `${file}: line ${listed.length + 1}`;
    const refuse = (expected: string) =>
      new LincirError('bad-file', {
        subject,
        expected,
        found: quoted(line),
        todo: 'check that it is the list of this benchmark',
      });
    const [, id, digits] = /^(\S+)\s+(\d{1,5})\s*$/.exec(line) ?? [];
    if (id === undefined) throw refuse('the path of an image and the number of its class');
    const { base, dir } = posix.parse(id);
    const synset = posix.basename(dir);
    const domain = domains.find((name) => base.startsWith(`${name}_`)) ?? 'real';
    const added = thousands[domain];
    if (added === undefined) throw refuse('a photo');
    const offset = 1000 * added;
    const label = Number(digits) - offset;
    if (label < 0 || label >= 1000) {
      throw refuse(
        `a class of ${offset} to ${offset + 999} for an image whose domain is ${domain} by its name`,
      );
    }
    const known = classes.get(synset) ?? label;
    if (known !== label) throw refuse(`the class ${offset + known}, that of other images in ${synset}`);
    classes.set(synset, label);
    listed.push({ id, path: pathWithin(folder, id, subject), domain, label });
  }
  return listed;
}
