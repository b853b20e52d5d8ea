/** The thread that learns: downloads the engine, and takes a step after the other. */

import '../shell/no-eval.ts';
import { configureRuntime, mostThreads } from '../../../src/browser/runtime.ts';
import { cleanCaption, createTagger, maskCaption } from '../../../src/captions/portable.ts';
import { type Clip, loadClip } from '../../../src/clip/index.ts';
import {
  madeMiniCaptions,
  miniCaptionCount,
  miniCaptionMaker,
  miniRecipe,
} from '../../../src/mini/portable.ts';
import { Phi, phiShape, readPhi } from '../../../src/phi/index.ts';
import { checkedSettings, flatParameters } from '../../../src/training/portable.ts';
import { notLearning } from './asking.ts';
import { answer, failureOf, tell } from './calls.ts';
import { download, memoryFile } from './download.ts';
import { evaluated } from './evaluating.ts';
import { unpackGallery } from './gallery.ts';
import { Learner, type LearnerStep, type LearntState } from './learner.ts';
import type { PackedFile } from './packed.ts';
import type { Evaluation, Failure, LearningState, MaskedExample, PhiChoice } from './protocol.ts';
import type { LearntPhi } from './query-functions.ts';
import { unpackTensors } from './rounded.ts';
import { readRun, removeRuns, writeRun } from './stored-run.ts';
import { threadsHere } from './threads.ts';
import { readWorldFile, towerFiles } from './world-file.ts';

/** The state on its way to the page. */
export type LearningNews = Omit<LearningState, 'error'> & { readonly failure?: Failure };

const settings = checkedSettings({ model: 'mini', captions: [madeMiniCaptions.name], ...miniRecipe });
/** What is learnt: another recipe does not go on from it. */
const recipe = JSON.stringify([madeMiniCaptions.version, settings]);
/** What is learnt is kept this often, in milliseconds: steps take a second, or ten. */
const saveEvery = 5000;
const shownExamples = 4;
/** Steps over which the speed is measured. */
const timedSteps = 5;

/** When what was learnt earlier is known. */
let opened: Promise<void> = Promise.resolve();
let folder: URL;
let toQueries: MessagePort;
let state: LearningNews = {
  ...{ phase: 'idle', step: 0, steps: settings.steps, batch: settings.batch, losses: [], examples: [] },
  ...{ isStored: true, threads: threadsHere() },
};
let learner: Learner | undefined;
/** The last state that was kept. */
let kept: LearntState | undefined;
/** Ends what runs now. */
let stopping: AbortController | undefined;
let running: Promise<void> | undefined;
/** Writing follows writing. */
let writing: Promise<void> = Promise.resolve();

const functions = {
  /** Finds what was learnt earlier. */
  async open(data: string, port: MessagePort): Promise<void> {
    folder = new URL(data);
    toQueries = port;
    opened = readRun(recipe).then((found) => {
      kept = found;
    }, noStorage);
    await opened;
    if (kept) send(kept);
    const { step, losses } = kept ?? { step: 0, losses: [] };
    change({ phase: step >= settings.steps ? 'finished' : 'idle', step, losses });
  },
  /** Prepares what is needed, and begins. */
  async start(): Promise<void> {
    await opened;
    if (running || state.step >= settings.steps) return;
    stopping = new AbortController();
    const { signal } = stopping;
    const prepared = prepare(signal);
    running = prepared
      .then((ready) => learn(ready, signal))
      .then(
        () => ended({ phase: state.step >= settings.steps ? 'finished' : 'idle' }),
        (error: unknown) =>
          ended(signal.aborted ? { phase: 'idle' } : { phase: 'failed', failure: failureOf(error) }),
      );
    await prepared.catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  },
  async stop(): Promise<void> {
    if (!running) return;
    change({ phase: 'stopping' });
    stopping?.abort(new Error('stopped'));
    await running;
  },
  async forget(): Promise<void> {
    await opened;
    await functions.stop();
    await learner?.dispose();
    [learner, kept] = [undefined, undefined];
    await removeRuns().catch(noStorage);
    toQueries.postMessage(undefined);
    change({ phase: 'idle', step: 0, losses: [], examples: [] });
  },
  async evaluate(choice: PhiChoice): Promise<Evaluation> {
    await opened;
    const values = learner?.values ?? kept?.values;
    const step = learner?.step ?? kept?.step;
    if (choice === 'learning' && !values) notLearning();
    const { clip, gallery, queries, ready } = await openEvaluation();
    const shape = phiShape(settings.architecture, clip.textConfig);
    const phi =
      choice === 'ready'
        ? await Phi.create(ready.info, ready.parameters)
        : await Phi.create(
            { shape, l2Normalize: false },
            flatParameters(shape, undefined, () => values!).tensors,
          );
    try {
      return {
        ...(await evaluated('lincir', clip, phi, gallery, queries)),
        ...(choice === 'learning' && { step }),
      };
    } finally {
      await phi.dispose();
    }
  },
};
export type LearningFunctions = typeof functions;

answer(globalThis as never, functions);

async function learn(ready: Learner, signal: AbortSignal): Promise<void> {
  const tag = await createTagger();
  const seconds: number[] = [];
  let savedAt = -Infinity;
  change({ phase: 'learning', preparing: undefined });
  while (ready.step < settings.steps) {
    const begin = performance.now();
    const found = await ready.next(signal);
    seconds.push((performance.now() - begin) / 1000);
    const recent = seconds.slice(-timedSteps);
    const each = recent.reduce((a, b) => a + b, 0) / recent.length;
    send({ step: found.step, values: ready.values });
    change({
      ...{ step: found.step, losses: [...ready.losses], examples: examplesOf(found, tag) },
      captionsPerSecond: settings.batch / each,
      secondsLeft: each * (settings.steps - found.step),
    });
    if (performance.now() - savedAt < saveEvery) continue;
    savedAt = performance.now();
    keep();
  }
}

/** The run has ended, for whatever reason: what is learnt is kept. */
async function ended(how: Partial<LearningNews>): Promise<void> {
  running = undefined;
  if (learner && learner.step > (kept?.step ?? 0)) keep();
  if (how.phase === 'failed') {
    await learner?.dispose().catch(() => {}); // after a failure, the engine may be in any state
    learner = undefined;
  }
  await writing;
  change({ ...how, preparing: undefined, captionsPerSecond: undefined, secondsLeft: undefined });
}

function keep(): void {
  const state = learner!.learnt();
  kept = state;
  writing = writing
    .then(() => writeRun(recipe, state))
    .then(() => change({ isStored: true, storageProblem: undefined }), noStorage);
}

function noStorage(error: unknown): void {
  change({ isStored: false, storageProblem: failureOf(error).message });
}

/** The learner, as it was left, or where the last visit left it. */
async function prepare(signal: AbortSignal): Promise<Learner> {
  if (learner) return learner;
  change({ phase: 'preparing', failure: undefined, preparing: { what: 'captions', part: 0 } });
  const opening = openEngine((part) => {
    if (state.preparing?.what === 'engine') change({ preparing: { what: 'engine', part } });
  });
  opening.catch(() => {}); // told of when it is waited for
  captions ??= openCaptions();
  captions.catch(() => {
    captions = undefined; // they may come the next time
  });
  const made = await captions;
  signal.throwIfAborted();
  change({ preparing: { what: 'engine', part: 0 } });
  const { files } = await opening;
  signal.throwIfAborted();
  change({ preparing: { what: 'graphs', part: 0 } });
  learner = await Learner.create({ files, captions: made, settings, learnt: kept, pause });
  signal.throwIfAborted();
  return learner;
}

let captions: ReturnType<typeof openCaptions> | undefined;

/** The captions, each made when it is first read. */
async function openCaptions() {
  const make = await miniCaptionMaker(0);
  const made = new Map<number, string>();
  const at = (index: number): string => {
    const caption = made.get(index) ?? make(index);
    made.set(index, caption);
    return caption;
  };
  return { count: miniCaptionCount, at };
}

let engine: ReturnType<typeof downloadEngine> | undefined;
let evaluation: ReturnType<typeof downloadEvaluation> | undefined;

function openEngine(onPart: (part: number) => void = () => {}) {
  engine ??= downloadEngine(onPart);
  engine.catch(() => {
    engine = undefined; // it may come the next time
  });
  return engine;
}

async function downloadEngine(onPart: (part: number) => void) {
  const names = ['engine.bin', 'text.bin', 'world.bin'] as const;
  const progress = new Map<PackedFile, readonly [number, number]>();
  const [wasm, text, small] = await Promise.all(
    names.map((name) =>
      download(folder, name, (bytes, total) => {
        progress.set(name, [bytes, total]);
        const sums = [0, 1].map((at) => [...progress.values()].reduce((sum, pair) => sum + pair[at]!, 0));
        if (progress.size === names.length) onPart(sums[0]! / sums[1]!);
      }),
    ),
  );
  configureRuntime({ wasm: { cpu: wasm! }, threads: mostThreads() });
  const world = readWorldFile(small!);
  return { files: towerFiles(world.text, text!), queries: world.queries };
}

function openEvaluation() {
  evaluation ??= downloadEvaluation();
  evaluation.catch(() => {
    evaluation = undefined;
  });
  return evaluation;
}

async function downloadEvaluation() {
  const { files, queries } = await openEngine();
  const clip: Clip = await loadClip(files);
  const gallery = await unpackGallery(await download(folder, 'gallery.bin'));
  const phi = await unpackTensors(await download(folder, 'phi-bytes.bin'));
  const ready = await readPhi(memoryFile('phi.safetensors', phi));
  return { clip, gallery, queries, ready };
}

function examplesOf(
  { batch, errors }: LearnerStep,
  tag: Awaited<ReturnType<typeof createTagger>>,
): MaskedExample[] {
  return batch.captions.slice(0, shownExamples).map((said, row) => {
    const caption = cleanCaption(said);
    const keywords = tag(caption);
    const { text } = maskCaption(caption, keywords, settings.masking, Math.random);
    return { caption, keywords, masked: text, error: errors[row]! };
  });
}

function send({ step, values }: LearntPhi): void {
  const copy = values.slice();
  toQueries.postMessage({ step, values: copy } satisfies LearntPhi, [copy.buffer]);
}

function change(changed: { [Key in keyof LearningNews]?: LearningNews[Key] | undefined }): void {
  state = { ...state, ...changed } as LearningNews;
  tell(globalThis as never, state);
}

const { port1, port2 } = new MessageChannel();
const waiting: (() => void)[] = [];
port1.onmessage = () => waiting.shift()?.();

/** Lets messages come in. A timer would wait for milliseconds. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(undefined);
  });
}
