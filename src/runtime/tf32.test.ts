/** TF32 is off unless the first session on CUDA asks for it. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const module = JSON.stringify(pathToFileURL(join(import.meta.dirname, 'tf32.ts')));

/** What a new process prints, and what a child of it finds in its environment. */
function outcome(choices: string): string {
  const program = `
    import { execFileSync } from 'node:child_process';
    import { chooseTf32 } from ${module};
    try { ${choices} } catch (error) { console.log(error.code); }
    const variable = ['-p', 'process.env.NVIDIA_TF32_OVERRIDE'];
    console.log(execFileSync(process.execPath, variable, { encoding: 'utf8' }).trim());`;
  const { NVIDIA_TF32_OVERRIDE: _, ...env } = process.env;
  const options = { encoding: 'utf8', env } as const;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], options).trim();
}

test('the first session decides for the process', () => {
  assert.equal(outcome('chooseTf32(false)'), '0');
  assert.equal(outcome('chooseTf32(true); chooseTf32(false)'), 'undefined');
  assert.equal(outcome('chooseTf32(false); chooseTf32(true)'), 'bad-argument\n0');
});
