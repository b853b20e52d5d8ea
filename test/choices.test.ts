/** What `--help` offers by name is what the library has. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { benchmarkKinds } from '../src/benchmarks/choices.ts';
import { maskings } from '../src/captions/choices.ts';
import { families } from '../src/clip/families/hugging-face.ts';
import { datasetPresets, modelPresets, phiPresets } from '../src/hub/choices.ts';
import { modelTypes } from '../src/hub/layouts.ts';
import { comparisons } from '../src/indexing/choices.ts';
import { devices, floatPrecisions } from '../src/onnx/choices.ts';
import { phiArchitectures, schedules } from '../src/phi/choices.ts';
import { precisions } from '../src/store/choices.ts';
import { madeNames } from '../src/training/choices.ts';

const main = join(import.meta.dirname, '../src/cli/main.ts');
/** In one line, without the breaks of a narrow terminal. */
const output = async (...words: string[]): Promise<string> =>
  (await promisify(execFile)(process.execPath, [main, ...words])).stdout.replaceAll(/\s+/g, ' ');

/** The choices that a command's help tells for an option or an argument. */
function choicesOf(help: string, option: string): string[] {
  const [, choices] = new RegExp(`${option} .*?\\(choices: ([^)]*)\\)`).exec(help) ?? [];
  assert.ok(choices, option);
  return choices
    .split(', default')[0]!
    .split(', ')
    .map((choice) => JSON.parse(choice));
}

test('options offer what the library takes', async () => {
  const [index, train, keywords] = await Promise.all(
    ['index', 'train', 'keywords'].map((command) => output(command, '--help')),
  );
  assert.deepEqual(choicesOf(index!, '--device <device>'), devices);
  assert.deepEqual(choicesOf(index!, '--precision <format>'), [...precisions, 'int8']);
  assert.deepEqual(choicesOf(index!, '--compare <what>'), comparisons);
  assert.deepEqual(choicesOf(train!, '--precision <format>'), floatPrecisions);
  assert.deepEqual(choicesOf(train!, '--architecture <name>'), phiArchitectures);
  assert.deepEqual(choicesOf(train!, '--schedule <name>'), schedules);
  for (const help of [train!, keywords!]) assert.deepEqual(choicesOf(help, '--masking <rule>'), maskings);
  for (const { name, description } of datasetPresets) assert.ok(train!.includes(`${name} ${description}`));
  for (const name of madeNames) assert.ok(train!.includes(name));
});

test('all commands say the same of --precision', async () => {
  const commands = ['index', 'reindex', 'embed', 'eval', 'submit', 'train', 'lend', 'check'];
  for (const command of commands) {
    const [, description] =
      /--precision <format> (.*?) \(default/.exec(await output(command, '--help')) ?? [];
    const [what, ...more] = description?.split('; ') ?? [];
    assert.match(what!, /^number format of matrix products(, where the device has it)?$/, command);
    const ofInt8 = 'int8 encodes images faster on a CPU, and moves them a little';
    const isWithoutInt8 = ['train', 'lend'].includes(command);
    assert.equal(more.at(-1), isWithoutInt8 ? undefined : ofInt8, command);
  }
});

test('commands of evaluation offer all benchmarks, and submit those whose servers take files', async () => {
  const names = benchmarkKinds.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const [evaluate, score, submit] = await Promise.all(
    ['eval', 'score', 'submit'].map((command) => output(command, '--help')),
  );
  for (const help of [evaluate!, score!]) assert.deepEqual(choicesOf(help, '<benchmark>'), names);
  for (const { name, description } of benchmarkKinds) assert.ok(evaluate!.includes(`${name} ${description}`));
  const taking = benchmarkKinds.filter(({ predictions }) => predictions).map(({ name }) => name);
  assert.deepEqual(choicesOf(submit!, '<benchmark>'), taking);
});

test('lincir models lists all presets', async () => {
  const listed = await output('models');
  for (const { name, description } of [...modelPresets, ...phiPresets]) {
    assert.ok(listed.includes(` ${name} `) && listed.includes(description), name);
  }
});

test('the hub knows the families of models that there are', () => {
  assert.deepEqual(modelTypes.toSorted(), families.flatMap((family) => family.modelTypes).toSorted());
});
