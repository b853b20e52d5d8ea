/**
 * What `lincir index` foretells beside what it takes: seconds and memory, each model on folders of photos, in a process of its
 * own: `node bench/forecast.ts FOLDER… --model MODEL…`. The delay is the look's own time.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { loadClip } from '../src/clip/index.ts';
import { type Forecast, forecast, openIndex } from '../src/indexing/index.ts';
import { machine, rounded, saveResult } from './results.ts';

const { values, positionals: folders } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string', multiple: true, default: [] }, measure: { type: 'boolean' } },
});
const rounds = 3;

if (values.measure) {
  console.log(JSON.stringify(await measure(folders[0]!, values.model[0]!)));
} else if (folders.length === 0 || values.model.length === 0) {
  throw new Error('usage: node bench/forecast.ts FOLDER… --model MODEL…');
} else {
  const results = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const model of values.model) {
      for (const folder of folders) {
        const given = [import.meta.filename, '--measure', folder, '--model', model];
        const { stdout } = await promisify(execFile)(process.execPath, given);
        const result = { round, model: basename(model), photos: basename(folder), ...JSON.parse(stdout) };
        console.log(JSON.stringify(result));
        results.push(result);
      }
    }
  }
  await saveResult('forecast', { machine: machine(), results });
}

async function measure(folder: string, model: string) {
  const home = await mkdtemp(join(tmpdir(), 'lincir-forecast-'));
  const clip = await loadClip(model);
  const looks: { readonly told: Forecast; readonly delay: number; readonly ended: number }[] = [];
  try {
    const index = await openIndex(join(home, 'photos.lance'), { access: 'write', clip });
    const events = index.add(clip, {
      images: [folder],
      onFound: async (_, ahead) => {
        const before = performance.now();
        const told = await forecast(clip, ahead, { leastSeconds: 0 });
        const ended = performance.now();
        if (told) looks.push({ told, delay: (ended - before) / 1000, ended });
      },
    });
    for await (const _ of events);
    const [look] = looks;
    if (look === undefined) throw new Error(`${folder}: too few images`);
    const { told, delay, ended } = look;
    const seconds = (performance.now() - ended) / 1000;
    const { bytes = 0 } = await index.statistics();
    await index.close();
    const peak = process.resourceUsage().maxRSS * 2 ** 10;
    return {
      images: told.images,
      delay: rounded(delay),
      seconds: {
        told: rounded(told.seconds),
        taken: rounded(seconds),
        ratio: rounded(told.seconds / seconds),
      },
      memory: { told: told.memoryBytes, taken: peak, ratio: rounded(told.memoryBytes / peak) },
      index: { told: told.indexBytes, taken: bytes, ratio: rounded(told.indexBytes / bytes) },
    };
  } finally {
    await clip.dispose();
    await rm(home, { recursive: true });
  }
}
