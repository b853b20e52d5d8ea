/**
 * From raw captions to token ids on one core, by stages and as a whole:
 * `node bench/caption-preparation.ts TOKENIZER CAPTIONS…`, a folder and files with a caption a line.
 */

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  cleanCaption,
  createPreparation,
  createTagger,
  type Masking,
  maskCaption,
} from '../src/captions/index.ts';
import { loadTokenizer } from '../src/clip/index.ts';
import { sequence } from '../src/core/index.ts';
import { folderFiles } from '../src/files/index.ts';
import { machine, rounded, saveResult } from './results.ts';
import { median, takeTurns, timed } from './turns.ts';

const [folder, ...files] = process.argv.slice(2);
if (folder === undefined || files.length === 0) {
  throw new Error('usage: node bench/caption-preparation.ts TOKENIZER CAPTIONS…');
}

const rounds = 9;
const tokenizer = await loadTokenizer(folderFiles(folder));
const loading: number[] = [];
for (let time = 0; time < 4; time += 1) loading.push(await timed(async () => createTagger()));
const results = [];
for (const file of files) {
  const result = await measure(file);
  console.log(JSON.stringify(result, (key, value) => (key === 'seconds' ? undefined : value), 1));
  results.push(result);
}
await saveResult('caption-preparation', {
  machine: machine(),
  rounds,
  taggerSeconds: { first: rounded(loading[0]!), later: rounded(median(loading.slice(1))) },
  results,
});

async function measure(file: string) {
  const captions = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const tag = await createTagger();
  const random = sequence({ seed: 0, purpose: 'masking', moment: 0, row: 0 });
  const cleaned = captions.map(cleanCaption);
  const spans = cleaned.map((caption) => tag(caption));
  const mask = (at: number) => maskCaption(cleaned[at]!, spans[at]!, 'spans', random).text;
  const masked = captions.map((_, at) => mask(at));
  const each = (work: (at: number) => unknown): Promise<number> =>
    timed(async () => {
      for (let at = 0; at < captions.length; at += 1) work(at);
    });
  const prepareBy = {
    spans: await createPreparation(tokenizer, 'spans'),
    official: await createPreparation(tokenizer, 'official'),
  };
  const whole = (masking: Masking) => each((at) => prepareBy[masking](captions[at]!, random));
  const firstPass = await whole('spans'); // no word has been met before
  const times = await takeTurns(
    {
      cleaning: () => each((at) => cleanCaption(captions[at]!)),
      tagging: () => each((at) => tag(cleaned[at]!)),
      masking: () => each(mask),
      spans: () => whole('spans'),
      official: () => whole('official'),
      /** Both texts of each caption by the tokenizer itself, which remembers no words. */
      tokenizerAlone: () => each((at) => [tokenizer.encode(cleaned[at]!), tokenizer.encode(masked[at]!)]),
    },
    rounds,
  );
  const microseconds = (seconds: number): number => rounded((1e6 * seconds) / captions.length);
  const stages = { cleaning: times.cleaning, tagging: times.tagging, masking: times.masking };
  const parts = Object.entries(stages).map(([name, { median }]) => [name, microseconds(median)] as const);
  const before = (round: number) =>
    Object.values(stages).reduce((sum, { seconds }) => sum + seconds[round]!, 0);
  const rest = median(times.spans.seconds.map((seconds, round) => seconds - before(round)));
  const ids = cleaned.reduce((sum, caption) => sum + tokenizer.encode(caption).ids.length, 0);
  return {
    file: basename(file),
    captions: captions.length,
    idsPerCaption: rounded(ids / captions.length),
    captionsPerSecond: {
      firstPass: Math.round(captions.length / firstPass),
      spans: Math.round(captions.length / times.spans.median),
      official: Math.round(captions.length / times.official.median),
    },
    microsecondsPerCaption: {
      ...Object.fromEntries(parts),
      tokenizing: microseconds(rest),
      tokenizerAlone: microseconds(times.tokenizerAlone.median),
    },
    seconds: Object.fromEntries(
      Object.entries(times).map(([name, { seconds }]) => [name, seconds.map(rounded)]),
    ),
  };
}
