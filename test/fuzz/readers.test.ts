/** A short run of the fuzzer, and the files that it once found. */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { corruptFolder, fuzz, judge, makeTargets } from './readers.ts';

for (const target of await makeTargets()) {
  test(`${target.name}: the seed reads`, async () => {
    await target.read(target.seed);
  });

  test(`${target.name}: 2,000 mutated files read or are refused`, async () => {
    const findings = await fuzz(target, 2_000, 2);
    assert.deepEqual(
      findings.map(({ reason }) => reason),
      [],
    );
  });

  test(`${target.name}: files that were found read or are refused`, async () => {
    const names = (await readdir(corruptFolder)).filter((name) => name.startsWith(`${target.name}-`));
    for (const name of names) {
      assert.equal(await judge(target, await readFile(join(corruptFolder, name))), undefined, name);
    }
  });
}
