/** Loads a model and methods for the commands of evaluation, lends them, and disposes of them. */

import {
  type Benchmark,
  type EvaluateOptions,
  type EvaluationProgress,
  type ImageProblem,
  kindNamed,
  openMethods,
  promptOf,
} from '../../benchmarks/index.ts';
import { type Clip, loadClip } from '../../clip/index.ts';
import { type Method, methodNames, methods, phiMethods, weightedMethods } from '../../composition/index.ts';
import { cacheFolder } from '../../files/index.ts';
import { type Device, expectPrecision } from '../../onnx/index.ts';
import { type Context, downloadBar, phiDownload, Warnings } from '../context.ts';
import { refuseIdle } from '../idle-options.ts';
import { imagePrecisions } from '../options.ts';
import type { Work } from '../terminal/progress.ts';

/** With the option of each method: its phi, which is `phi` for `lincir`, or its weight. */
export interface MethodOptions
  extends Readonly<Partial<Record<Method | 'phi', string> & Record<`${Method}Weight`, number>>> {
  readonly model: string;
  readonly methods?: readonly Method[];
  readonly prompt?: string;
  readonly prompts?: string;
  readonly cache?: string;
  readonly precision?: (typeof imagePrecisions)[number];
  readonly device?: Device;
  readonly threads?: number;
  readonly targetPad?: number;
  readonly maxPixels?: number;
}

/** Loads model and methods, lends them to `work`, and disposes of them. */
export async function withMethods<Result>(
  benchmark: Benchmark,
  options: MethodOptions,
  context: Context,
  work: (options: EvaluateOptions) => Promise<Result>,
): Promise<Result> {
  const { reporter, signal } = context;
  const { device, threads, maxPixels, cache = cacheFolder() } = options;
  const prompt = options.prompt === undefined ? undefined : promptOf(options.prompt, benchmark.prompt);
  const names = methodsOf(options);
  const isOfUse = (method: Method) => [names.includes(method), `${method} among --methods`] as const;
  const hasPrompts = names.some((name) => methods[name].pseudoTokens);
  const prompted = 'a method that puts a pseudo token into it, such as lincir with --phi';
  refuseIdle([
    ...phiMethods.map(
      (name) => [`--${phiOption(name)}`, options[phiOption(name)], ...isOfUse(name)] as const,
    ),
    ...weightedMethods.map(
      (name) => [`--${name}-weight`, options[`${name}Weight`], ...isOfUse(name)] as const,
    ),
    ['--prompt', options.prompt, hasPrompts, prompted],
    ['--prompts', options.prompts, hasPrompts, prompted],
  ]);
  const where = { device, threads };
  const clip = await loadModel(options, context);
  const problems = new Warnings(reporter, 'images are missing or broken');
  try {
    const opened = await openMethods(names, {
      ...{ clip, cache, signal, ...where },
      phi: Object.fromEntries(phiMethods.map((name) => [name, options[phiOption(name)]])),
      weights: Object.fromEntries(weightedMethods.map((name) => [name, options[`${name}Weight`]])),
      download: phiDownload(reporter),
      onInversion: (done, total) => reporter.progress({ label: 'oti', unit: 'images', total }, done),
    });
    try {
      return await work({
        ...{ clip, methods: opened.methods, prompt, cache, maxPixels, threads, signal },
        onProgress: (progress) => reporter.progress(workOf(progress), progress.done),
        onProblem: ({ path, reason }: ImageProblem) => problems.add(`${path}: ${reason}`),
      });
    } finally {
      problems.finish();
      if (problems.count > 0) reporter.note(`${benchmark.name}: ${kindNamed(benchmark.name).source}`);
      await opened.dispose();
    }
  } finally {
    await clip.dispose();
  }
}

export async function loadModel(options: MethodOptions, { reporter, signal }: Context): Promise<Clip> {
  const { model, precision, device, threads, targetPad } = options;
  expectPrecision(precision, device, imagePrecisions);
  const where = { device, threads, precision, targetPad };
  return await loadClip(model, { ...where, onDownload: downloadBar(reporter, model), signal });
}

/** Without a choice, those whose phi is given, and what needs no training. */
export function methodsOf(options: MethodOptions): readonly Method[] {
  const given = phiMethods.filter((name) => options[phiOption(name)] !== undefined);
  return options.methods ?? [...given, ...methodNames.filter((name) => !methods[name].pseudoTokens)];
}

export function phiOption(method: Method): Method | 'phi' {
  return method === 'lincir' ? 'phi' : method;
}

function workOf({ stage, method, total }: EvaluationProgress): Work {
  const isOfQueries = method !== undefined;
  const label = method === undefined ? stage : `${stage}, ${method}`;
  return { label, unit: isOfQueries ? 'queries' : 'images', total };
}
