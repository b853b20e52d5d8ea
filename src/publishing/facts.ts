/** Gathers what is known of a phi that leaves: the file, the run that trained it, and what was measured with it. */

import { glob } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Figure, type Results, readResults } from '../benchmarks/index.ts';
import { type LicensedDownloadOptions, LincirError, option } from '../core/index.ts';
import { fileSource, hashOfFile, statOf } from '../files/index.ts';
import { isHubId, modelOfPhi, phiFileOf, phiPresets } from '../hub/index.ts';
import { type PhiInfo, type PhiParameters, readPhi } from '../phi/index.ts';
import {
  type RunConfig,
  readMetrics,
  readRunConfig,
  runFiles,
  type ValidationMetrics,
} from '../training/index.ts';

export interface GatherOptions extends LicensedDownloadOptions {
  /** Results of `lincir eval`: files, or folders with a `results.json`. Those in the run's folder are found without. */
  readonly results?: readonly string[];
}

/** All that is known. What is not known is left out, here and in the card. */
export interface PhiFacts {
  /** Without the path of a model's folder: that is this machine's. */
  readonly info: PhiInfo;
  readonly parameters: PhiParameters;
  /** A published phi's licence, and where it is from. */
  readonly origin?: { readonly address: string; readonly licence: string };
  readonly run?: {
    readonly config: RunConfig;
    /** Which of the run's phis it is. */
    readonly kind: 'best' | 'latest' | 'ema';
    /** What training measured at the step of this phi. */
    readonly validations: readonly ValidationMetrics[];
  };
  readonly evaluations: readonly PhiEvaluation[];
}

/** What an evaluation says of this phi. */
export interface PhiEvaluation extends Pick<Results, 'preset' | 'limit' | 'images' | 'metrics'> {
  readonly queries: number;
  /** What deviates from the usual: target pad, precision. */
  readonly deviations: readonly string[];
  readonly prompt: string;
  readonly figures: Readonly<Record<string, Figure>>;
}

const kinds = { best: runFiles.best, latest: runFiles.latest, ema: runFiles.average } as const;
/** Where evaluations lie in a run's folder: there, in a folder of their own, or in one of several. */
const resultsPattern = '{,*/,*/*/}results.json';

/**
 * @param phi a file, a run's folder, or a name on the hub, from which it is downloaded once
 * @throws LincirError 'not-found', 'io', 'network', 'bad-file', and 'bad-argument' for results of another phi
 */
export async function gatherFacts(
  phi: string,
  { results, ...options }: GatherOptions = {},
): Promise<PhiFacts> {
  const file = await phiFileOf(phi, options);
  const { info, parameters } = await readPhi(await fileSource(file));
  const run = await runOf(file, info);
  const preset = phiPresets.find(({ name }) => name === phi);
  const { model, ...others } = info;
  const named = preset === undefined ? model : modelOfPhi(preset);
  return {
    info: { ...others, ...(named !== undefined && isHubId(named) && { model: named }) },
    parameters,
    ...(preset && { origin: { address: preset.address, licence: preset.licence } }),
    ...(run && { run }),
    evaluations: await evaluationsOf(file, run ? dirname(file) : undefined, results),
  };
}

/** The run in whose folder the file lies, if it trained this phi. */
async function runOf(file: string, info: PhiInfo): Promise<PhiFacts['run']> {
  const folder = dirname(file);
  const kind = Object.entries(kinds).find(([, name]) => name === basename(file))?.[0] as keyof typeof kinds;
  if (kind === undefined || !(await statOf(join(folder, runFiles.config)))) return undefined;
  const config = await readRunConfig(folder);
  if (config.model.fingerprint !== info.fingerprint) return undefined;
  const measured = kind === 'ema' ? 'ema' : 'phi';
  const validations: ValidationMetrics[] = [];
  if (await statOf(join(folder, runFiles.metrics))) {
    for await (const record of readMetrics(join(folder, runFiles.metrics))) {
      if (record.kind !== 'validation' || record.step !== info.step) continue;
      // The best one may be either.
      if (kind === 'best' ? record.best : record.phi === measured) validations.push(record);
    }
  }
  return { config, kind, validations };
}

/** What was measured with the phi in `file`. Of results that were found, those of other phis are left out. */
async function evaluationsOf(
  file: string,
  runFolder: string | undefined,
  given: readonly string[] = [],
): Promise<PhiEvaluation[]> {
  const found =
    runFolder === undefined ? [] : await Array.fromAsync(glob(resultsPattern, { cwd: runFolder }));
  const places = found.sort().map((path) => ({ path: join(runFolder!, path), isGiven: false }));
  for (const path of given) {
    const isFolder = (await statOf(path))?.isDirectory() ?? false;
    places.push({ path: isFolder ? join(path, 'results.json') : path, isGiven: true });
  }
  if (places.length === 0) return [];
  const sha256 = await hashOfFile(file);
  const evaluations: PhiEvaluation[] = [];
  for (const { path, isGiven } of places) {
    const { queries, methods, ...results } = await readResults(path);
    const { preset, limit, images, metrics, model } = results;
    const own = methods.filter(({ settings }) => settings.sha256 === sha256);
    if (own.length === 0 && isGiven) {
      throw new LincirError('bad-argument', {
        subject: option<GatherOptions>('results', path),
        expected: `results with this phi, whose file has the SHA-256 ${sha256}`,
        found: 'those of others',
        todo: 'leave it out, or measure this phi, and name the results of that',
      });
    }
    for (const { prompt, figures } of own) {
      evaluations.push({
        ...{ preset, limit, images, metrics, queries: queries.length, prompt: prompt.composed, figures },
        deviations: [
          ...(model?.targetPad == null ? [] : [`target pad ${model.targetPad}`]),
          ...(model === undefined || model.precision === 'float32' ? [] : [model.precision]),
        ],
      });
    }
  }
  return evaluations;
}
