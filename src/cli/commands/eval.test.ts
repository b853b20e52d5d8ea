/** What `lincir eval` opens: official layouts, in whichever form a disk has their names. */

import assert from 'node:assert/strict';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { kindNamed } from '../../benchmarks/index.ts';
import type { Context } from '../context.ts';
import { openedBenchmark } from './eval.ts';

test('folders and images are found by every form of their names', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-evaluation-'));
  try {
    const files = {
      'captions/cap.rc2.val.json': [
        {
          ...{ pairid: 1, reference: '\u00e9', caption: 'is red', target_hard: 'b' },
          img_set: { members: ['e\u0301', 'b'] },
        },
      ],
      'image_splits/split.rc2.val.json': { '\u00e9': './dev/\u00e9.png', b: './dev/\uac01.png' },
    };
    for (const [name, json] of Object.entries(files)) {
      const path = join(folder, 'Da\u0301ta', 'cirr', name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, JSON.stringify(json));
    }
    await mkdir(join(folder, 'Da\u0301ta', 'dev'));
    for (const name of ['e\u0301', '\u1100\u1161\u11a8']) {
      await writeFile(join(folder, 'Da\u0301ta', 'dev', `${name}.png`), 'x');
    }
    const options = { data: join(folder, 'D\u00e1ta'), anyVersion: true };
    const benchmark = await openedBenchmark(kindNamed('cirr'), options, {} as Context);
    assert.equal(benchmark.images.length, 2);
    for (const { path } of benchmark.images) await access(path);
  } finally {
    await rm(folder, { recursive: true });
  }
});
