/** The files of a training of the small CLIP: the state from which it resumes, and its log. */

import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  checkedValue,
  LincirError,
  parseJsonText,
  readOwnTensor,
  readSafetensorsHeader,
} from '../../src/core/index.ts';
import { asLincirError, readingFile, writeFileAtomically, writeSafetensors } from '../../src/files/index.ts';
import type { Moments } from '../../src/phi/index.ts';

export interface ClipTrainingState {
  /** Steps done. */
  step: number;
  /** Seconds of all parts of the training. */
  seconds: number;
  readonly parameters: Float32Array;
  readonly moments: Moments;
}

const stateFile = 'training-state.safetensors';
export const logFile = 'training-log.jsonl';
const metadataSchema = z.object({ step: z.coerce.number().int(), seconds: z.coerce.number() });
const lineSchema = z.object({ step: z.int() });

/** Writes the state, atomically. Throws LincirError 'io'. */
export async function writeState(folder: string, state: ClipTrainingState): Promise<void> {
  const { step, seconds, parameters, moments } = state;
  const tensors = { parameters, first: moments.first, second: moments.second };
  await writeSafetensors(
    join(folder, stateFile),
    Object.entries(tensors).map(([name, data]) => ({ name, type: 'float32', shape: [data.length], data })),
    { step: `${step}`, seconds: `${seconds}` },
  );
}

/**
 * Reads the last state.
 * @param count number of parameters
 * @throws LincirError 'not-found', 'io', or 'bad-file' for a state with other parameters
 */
export async function readState(folder: string, count: number): Promise<ClipTrainingState> {
  const path = join(folder, stateFile);
  return readingFile(path, async (file) => {
    const { tensors, metadata } = await readSafetensorsHeader(file);
    const tensor = async (name: string) => (await readOwnTensor(path, tensors, name, [count])).data;
    const { step, seconds } = checkedValue(metadataSchema, metadata, `${path}: __metadata__`, 'begin anew');
    const moments = { first: await tensor('first'), second: await tensor('second') };
    return { step, seconds, parameters: await tensor('parameters'), moments };
  });
}

/** Begins a log. Its first line has the settings. */
export async function beginLog(folder: string, settings: object): Promise<void> {
  await writeFileAtomically(join(folder, logFile), (file) => file.writeFile(`${JSON.stringify(settings)}\n`));
}

/**
 * Cuts a log after `step`.
 * @throws LincirError 'bad-argument' if it has other settings, 'not-found', 'io' and 'bad-file'
 */
export async function continueLog(folder: string, settings: object, step: number): Promise<void> {
  const path = join(folder, logFile);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw asLincirError(error, path, 'read');
  });
  const [first, ...lines] = text.split('\n').slice(0, -1); // an unfinished line has no end
  const begun = parseJsonText(first ?? '', path);
  if (!isDeepStrictEqual(begun, JSON.parse(JSON.stringify(settings)))) {
    throw new LincirError('bad-argument', {
      subject: folder,
      expected: 'the settings that its training began with',
      found: 'others',
      todo: 'give the same ones, or begin anew in another folder',
    });
  }
  const kept = lines.filter((line) => stepOf(line, path) <= step);
  await writeFileAtomically(path, (file) => file.writeFile([first, ...kept, ''].join('\n')));
}

/** Adds a line. Throws LincirError 'io'. */
export async function appendLog(folder: string, line: object): Promise<void> {
  await appendFile(join(folder, logFile), `${JSON.stringify(line)}\n`);
}

function stepOf(line: string, path: string): number {
  return checkedValue(lineSchema, parseJsonText(line, path), path, 'begin anew').step;
}
