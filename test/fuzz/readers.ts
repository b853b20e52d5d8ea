/** All readers of files that a person, a crash or a stranger can have changed, each with what the fuzzer needs. */
// A new module that reads files is in the `covers` of a target, or stands below with the reason why it need not be:
// readers.test.ts finds it.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Target } from './target.ts';
import { benchmarkTargets } from './targets/benchmarks.ts';
import { captionTargets } from './targets/captions.ts';
import { lendingTargets } from './targets/lending.ts';
import { modelTargets } from './targets/models.ts';
import { pictureTargets } from './targets/pictures.ts';
import { requestTargets } from './targets/requests.ts';
import { runTargets } from './targets/runs.ts';
import { uploadTargets } from './targets/uploads.ts';
import { weightTargets } from './targets/weights.ts';

export const corruptFolder = join(import.meta.dirname, '../fixtures/corrupt');

const groups = {
  weights: weightTargets,
  models: modelTargets,
  captions: captionTargets,
  pictures: pictureTargets,
  runs: runTargets,
  benchmarks: benchmarkTargets,
  requests: requestTargets,
  lending: lendingTargets,
  uploads: uploadTargets,
};

/** The targets by name. Their files lie in folders of their own in `folder`. */
export async function makeTargets(folder: string): Promise<ReadonlyMap<string, Target>> {
  const targets = new Map<string, Target>();
  for (const [group, make] of Object.entries(groups)) {
    const own = join(folder, group);
    await mkdir(own, { recursive: true });
    for (const [name, target] of Object.entries<Target>(await make(own))) targets.set(name, target);
  }
  return targets;
}

/** Modules that open or parse something, but read nothing that anybody else may have changed, or by other modules only. */
export const uncovered: Readonly<Record<string, string>> = {
  'benchmarks/report/pictures.ts': 'makes images small by what `png` and others try',
  'benchmarks/submission.ts': 'reads back what it is about to write',
  'browser/decode.ts': 'reads by browser/header.ts and decoding/format.ts, and then lets the browser decode',
  'cli/main.ts': 'reads this package by itself',
  'cli/search/page.ts': 'makes images small by what `png` and others try',
  'cli/terminal/pictures.ts': 'makes images small by what `png` and others try',
  'cli/open-file.ts': 'opens pages and images in other programs',
  'server/api-page.ts': 'only looks whether files are there',
  'server/assets.ts': 'sends files of this package as they are',
  'server/knn/routes.ts': 'reads by server/requests.ts',
  'server/page.ts': 'only looks whether files are there',
  'server/version.ts': 'reads this package by itself',
  'service/files/thumbnail-cache.ts': 'sends back what it has written, as it is',
  'files/hash-file.ts': 'reads bytes without looking at them',
  'files/folder-watch.ts': 'only asks which folder one is',
  'cli/search/dialogue.ts': 'gives lines that were typed before back to be typed again',
  'cli/commands/search.ts': 'opens pages and images in other programs',
  'core/hash.ts': 'makes a hash of what others have read',
  'phi/inversion.ts': 'takes numbers out of a hash',
  'publishing/onnx/export.ts':
    'reads by clip/index.ts and phi/file.ts, and copies files of a model as they are',
  'publishing/onnx/earlier-export.ts': 'only looks whether a model card and models are ours',
  'publishing/onnx/files-beside.ts':
    'reads settings by core/json.ts, and copies other files of a model as they are',
  'publishing/onnx/programs.ts': 'has programs in Python, which open files; it opens none',
  'publishing/export.ts': 'only looks whether a model card is one of ours',
  'publishing/facts.ts': 'reads by phi/file.ts, training/run-folder.ts and benchmarks/results-file.ts',
  'decoding/decoder-watch.ts': 'reads how much memory its own process takes',
  'files/file-source.ts': 'opens files and looks at no byte of them',
  'files/write-file.ts': 'writes',
  'check/published/pictures.ts': 'compares pictures with a hash, and looks at no byte of them',
  'check/machine.ts': 'reads what the system says of its processor',
  'runtime/binding.ts': 'only looks whether files are there',
  'runtime/cuda.ts': 'looks for names in a library that the system then runs',
  'runtime/gpus.ts': 'reads what the tools of drivers print',
  'browser/hub.ts': 'reads what the hub answered by hub/listing.ts',
  'browser/models.ts': 'reads by hub/layouts.ts',
  'hub/download.ts': 'compares what it downloads with a hash',
  'mini/benchmark/files.ts': 'writes',
  'pictures/work-sources.ts':
    'reads shards by tar.ts and folders by files.ts, and asks only for sizes and times itself',
  'files/scratch.ts': 'reads back what the same process wrote into a file without a name',
  'indexing/records/list.ts': 'reads back what the same process wrote into a file without a name',
  'store/opensearch/address.ts': 'reads certificates, which the TLS library parses',
  'store/opensearch/notes.ts': 'reads what the index itself wrote into a cluster',
  'store/lance/notes.ts': 'reads what the index itself wrote into a table',
  'mini/world/render-pixels.ts': 'draws what this package has made',
};
