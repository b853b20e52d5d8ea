/** What a run measured, in `metrics.jsonl`: a JSON object a line, one for each step, each validation, and each change of devices. */

import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { checkedValue, LincirError, parseJsonText, recordOf } from '../core/index.ts';
import { batched, readLines } from '../files/index.ts';
import { GrowingFile } from './growing-file.ts';

/**
 * JSON has no such numbers, so they are written as strings, as in protobuf's JSON. The type is written out, since the compiler
 * declares an object with the key '-Infinity' wrongly.
 */
const notFinite: z.ZodType<number> = z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number);
const real: z.ZodType<number> = z.union([z.number(), notFinite]);
const step = z.int().nonnegative();
const time = z.iso.datetime();

const stepSchema = z.object({
  kind: z.literal('step'),
  step,
  loss: real,
  learningRate: real,
  /** Before clipping. */
  gradientNorm: real,
  captionsPerSecond: real,
  gflopsPerSecond: real,
  /** Seconds since the run began, without interruptions. */
  seconds: real,
  /** Resident memory of the process. */
  memoryBytes: real,
  /** In ISO 8601. */
  time,
});

const validationSchema = z.object({
  kind: z.literal('validation'),
  step,
  /** Of the benchmark. */
  name: z.string(),
  /** The weights that were validated: phi's own, or their moving average. */
  phi: z.enum(['phi', 'ema']),
  metrics: recordOf(real),
  /** Whether this is the best validation so far. */
  best: z.boolean(),
  time,
});

const deviceSchema = z.object({
  kind: z.literal('device'),
  /** Steps that were done before. */
  step,
  device: z.string(),
  state: z.enum(['lost', 'awaited', 'differs', 'back']),
  /** Of what has happened; absent for `back`. */
  reason: z.string().optional(),
  time,
});

const schema = z.discriminatedUnion('kind', [stepSchema, validationSchema, deviceSchema]);

export type StepMetrics = Readonly<z.output<typeof stepSchema>>;
export type ValidationMetrics = Readonly<z.output<typeof validationSchema>>;
/** A device was lost, is awaited, came back, or computes other last bits than another one. */
export type DeviceMetrics = Readonly<z.output<typeof deviceSchema>>;
export type Metrics = StepMetrics | ValidationMetrics | DeviceMetrics;

/** Limit of a line in bytes. We never write a longer one. */
const lineLimit = 2 ** 20;

/**
 * Begins `file`, or continues it: lines of steps up to `upToStep` stay, later ones and an unfinished last one go.
 * The old file stays until the new one is complete. Throws 'io' and 'bad-file'.
 */
export async function openMetricsLog(file: string, upToStep: number): Promise<GrowingFile<Metrics>> {
  return await GrowingFile.create(file, batched(linesToKeep(file, upToStep)), (record: Metrics) => {
    const line = JSON.stringify(record, (_, value: unknown) =>
      typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
    );
    return Buffer.from(`${line}\n`);
  });
}

/**
 * The records of a `metrics.jsonl`, in bounded memory. It may be growing: an unfinished last line is left out.
 * @throws LincirError 'not-found', 'io', and 'bad-file' naming the line.
 */
export async function* readMetrics(file: string): AsyncGenerator<Metrics, void, void> {
  for await (const { record } of finishedLines(file)) yield record;
}

async function* linesToKeep(file: string, upToStep: number): AsyncGenerator<string, void, void> {
  try {
    for await (const { line, record } of finishedLines(file)) {
      if (record.step <= upToStep) yield `${line}\n`;
    }
  } catch (error) {
    if (!(error instanceof LincirError && error.code === 'not-found')) throw error;
  }
}

async function* finishedLines(
  file: string,
): AsyncGenerator<{ readonly line: string; readonly record: Metrics }, void, void> {
  let number = 0;
  for await (const line of readLines(upToLastEnd(createReadStream(file)), file)) {
    number += 1;
    yield { line, record: parse(line, `${file}: line ${number}`) };
  }
}

/** The chunks, without what follows the last line end. */
async function* upToLastEnd(chunks: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array, void, void> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    const end = rest.length > lineLimit ? bytes.length : bytes.lastIndexOf(0x0a) + 1;
    yield bytes.subarray(0, end);
    rest = bytes.subarray(end);
  }
}

function parse(line: string, subject: string): Metrics {
  const todo = 'remove the line if you changed it by hand';
  return checkedValue(schema, parseJsonText(line, subject), subject, todo);
}
