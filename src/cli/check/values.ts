/** The part of `lincir check` that compares a model with known values: others' or one's own. */

import { basename } from 'node:path';
import { type CheckedValues, checkPublished, checkRecorded, recordValues } from '../../check/index.ts';
import { loadClip } from '../../clip/index.ts';
import { formatCounted, LincirError, option, quoted } from '../../core/index.ts';
import { modelPresets } from '../../hub/index.ts';
import type { Device } from '../../onnx/index.ts';
import type { Context } from '../context.ts';
import { aligned } from '../terminal/columns.ts';

export interface ValuesOptions {
  /** The published values of this model count: a preset or an id on the hub. Default: the model's own id. */
  readonly published?: string;
  readonly pictures?: string;
  /** A file with values of one's own, in place of published ones. */
  readonly values?: string;
  /** A file to write values to. */
  readonly record?: string;
}

interface GivenModel {
  readonly model: string;
  readonly device: Device;
  readonly threads: number | undefined;
  /** What to record. */
  readonly images: readonly string[] | undefined;
  /** Of lincir. */
  readonly version: string;
}

/** A difference, as the last line tells it. */
export interface ValuesOutcome {
  readonly checked: readonly CheckedValues[];
  readonly error?: LincirError;
}

/** Compares or records values, in float32. Undefined for what nobody has published anything of and nobody asked for. */
export async function knownValues(
  options: ValuesOptions,
  given: GivenModel,
  { signal, reporter, told }: Context,
  tell: (line: string) => void,
): Promise<ValuesOutcome> {
  const { model, device, threads, images = [], version } = given;
  const { published, pictures, values, record } = options;
  const clip = await loadClip(model, { device, threads });
  try {
    if (record !== undefined) {
      await recordValues(record, clip, images, `lincir ${version} on ${device}`);
      reporter.note(`${formatCounted(images.length, 'images')} → ${record}`);
      return { checked: [] };
    }
    const id = published === undefined ? clip.id : idOf(published);
    const checked =
      values === undefined
        ? await checkPublished(clip, id ?? '', { pictures, signal })
        : await checkRecorded(clip, values);
    const subject = id ?? model;
    tell('');
    if (checked.length === 0) {
      tell(`No published values of ${subject} are known here, so none were compared.`);
      const isAsked = published !== undefined || pictures !== undefined;
      return { checked, ...(isAsked && { error: nothingKnown(subject) }) };
    }
    for (const line of valuesTable(checked, told)) tell(line);
    return { checked, ...errorOf(checked, subject, pictures !== undefined || published !== undefined) };
  } finally {
    await clip.dispose();
  }
}

function idOf(name: string): string {
  return modelPresets.find((preset) => preset.name === name)?.id ?? name;
}

function errorOf(
  checked: readonly CheckedValues[],
  subject: string,
  isAsked: boolean,
): Pick<ValuesOutcome, 'error'> {
  const compared = checked.flatMap(({ values }) => values);
  const wrong = compared.filter(({ isSame }) => !isSame);
  const problem = checked.find((one) => one.problem)?.problem;
  if (wrong.length > 0) {
    const error = new LincirError('bad-file', {
      subject,
      expected: `the known values`,
      found: `${wrong.length} of ${formatCounted(compared.length, 'values')} that differ by more than they may`,
      todo: 'check that these are the weights, the pictures and the preprocessing that the source used',
    });
    return { error };
  }
  return compared.length === 0 && isAsked && problem ? { error: problem } : {};
}

function nothingKnown(subject: string): LincirError {
  return new LincirError('bad-argument', {
    subject: option<ValuesOptions>('published'),
    expected: 'a model of which values are published: docs/reproduce.md lists them',
    found: quoted(subject, 200),
    todo: 'give its id on the hub, or compare with values of your own: --values',
  });
}

/** A table of all pictures, and a line for each source or what kept its picture away. */
function valuesTable(checked: readonly CheckedValues[], told: Context['told']): string[] {
  const rows = checked.flatMap((one) =>
    one.problem
      ? [[named(one), '', '', '', '', 'not compared']]
      : [
          [named(one), 'known', 'here', 'difference', 'at most', ''],
          ...one.values.map(({ text, known, here, bound, isSame }) => [
            `  ${quoted(text)}`,
            figure(known),
            figure(here),
            (here - known).toExponential(1),
            bound.toExponential(1),
            isSame ? 'right' : 'wrong',
          ]),
        ],
  );
  const notes = Map.groupBy(checked, ({ source, problem }) =>
    problem ? `not compared, because of ${told(problem.message)}` : `known from ${source}`,
  );
  return [
    ...aligned(rows),
    ...[...notes].map(([note, pictures]) => `${pictures.map(named).join('; ')}: ${note}`),
  ];
}

function named({ picture, kind }: CheckedValues): string {
  return `${basename(picture)}, ${kind}`;
}

function figure(value: number): string {
  return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(4) : value.toFixed(5);
}
