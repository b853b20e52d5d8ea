/** The model and its phi: downloads and loads them, on the GPU where there is one, and runs the vision tower. */

import {
  downloadModel,
  downloadPhi,
  forgetModel,
  keptModels,
  mostThreads,
  webgpuAdapter,
} from '../../../../src/browser/index.ts';
import { type Clip, loadClip } from '../../../../src/clip/index.ts';
import { type DownloadProgress, LincirError, type ModelFiles } from '../../../../src/core/index.ts';
import { loadPhi, type Phi } from '../../../../src/phi/index.ts';
import { asSentences } from './calls.ts';
import { filesIn, filesOf, sourceOf } from './listed-files.ts';
import type { DeviceFacts, Loading, ModelChoice, PhiChoice } from './state.ts';

type Device = 'cpu' | 'webgpu';

interface Loaded {
  readonly clip: Clip;
  readonly phi?: Phi;
}

export class Models {
  model: Loading | undefined;
  phi: Loading | undefined;
  device: DeviceFacts | undefined;
  clip: Clip | undefined;
  readonly #onChange: () => void;
  readonly #onReady: () => void;
  #source: string | ModelFiles | undefined;
  #clip: Promise<Clip> | undefined;
  #phi: Promise<Phi> | undefined;
  #phiChoice: PhiChoice | undefined;
  #controller = new AbortController();

  /** `onReady` is called when a model is loaded. */
  constructor(onChange: () => void, onReady: () => void) {
    this.#onChange = onChange;
    this.#onReady = onReady;
  }

  /** Begins to download and load a model in place of the present one. What has been downloaded of it stays. */
  async choose(choice: ModelChoice): Promise<void> {
    await this.forget();
    const { signal } = this.#controller;
    const device = (await hasGpu()) ? 'webgpu' : 'cpu';
    if (signal !== this.#controller.signal) return; // another one was chosen meanwhile
    this.#source = sourceOfModel(choice);
    this.#begin(choice.name, device);
    this.#clip?.then(this.#onReady, () => undefined);
  }

  /** Begins to download and load a phi for the model. */
  choosePhi(choice: PhiChoice | undefined): void {
    void this.#phi?.then((phi) => phi.dispose()).catch(() => {});
    this.#phi = undefined;
    this.phi = undefined;
    this.#phiChoice = choice;
    if (choice) this.#phi = this.#loadPhi(choice);
    this.#phi?.catch(() => {}); // its state tells
    this.#onChange();
  }

  /** Ends a download. Choosing the same again goes on with it. */
  pause(): void {
    this.#controller.abort();
  }

  /** @throws LincirError 'bad-argument' without a model, and why it could not be loaded */
  async loaded(): Promise<Loaded> {
    if (this.#clip === undefined) {
      throw new LincirError('bad-argument', {
        subject: 'the search',
        expected: 'a model',
        found: 'none that is loaded',
        todo: 'choose one under “Photos and model”',
      });
    }
    const clip = await this.#clip;
    const phi = await this.#phi?.catch(() => undefined); // then the page mixes vectors, and says so
    return { clip, ...(phi && { phi }) };
  }

  /** Embeds preprocessed pictures. */
  async embed(pixels: Float32Array): Promise<Float32Array> {
    return await this.orOnProcessor(async () => (await (await this.loaded()).clip.encodePixels(pixels)).data);
  }

  /** Does what needs the model. If the GPU fails at it, the processor takes over, and it is done again. */
  async orOnProcessor<Result>(task: () => Promise<Result>): Promise<Result> {
    const clip = this.#clip;
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof LincirError && error.code === 'device')) throw error;
      if (clip === this.#clip && !this.#leaveGpu(error.problem.found)) throw error;
      return await task();
    }
  }

  /** Whether there was a GPU to leave. */
  #leaveGpu(failure: string): boolean {
    if (this.device?.kind !== 'gpu') return false;
    this.device = undefined;
    const [old, phi] = [this.#clip, this.#phiChoice];
    this.choosePhi(undefined);
    this.#begin(this.model!.name, 'cpu', failure);
    this.choosePhi(phi);
    void old?.then((clip) => clip.dispose()).catch(() => {});
    return true;
  }

  /** Removes all models from the browser's storage. */
  async deleteKept(): Promise<void> {
    await this.forget();
    for (const { id } of await keptModels()) await forgetModel(id);
  }

  /** Frees the memory of both. */
  async forget(): Promise<void> {
    this.#controller.abort();
    this.#controller = new AbortController();
    this.choosePhi(undefined);
    const old = this.#clip;
    this.device = undefined;
    [this.#clip, this.clip, this.model] = [undefined, undefined, undefined];
    await old?.then((clip) => clip.dispose()).catch(() => {});
    this.#onChange();
  }

  #begin(name: string, device: Device, failure?: string): void {
    this.#clip = this.#load(name, device, failure);
    this.#clip.catch(() => {}); // its state tells
  }

  async #load(name: string, device: Device, failure?: string): Promise<Clip> {
    const { signal } = this.#controller;
    const tell = (state: Omit<Loading, 'name'>) => {
      if (signal !== this.#controller.signal) return;
      this.model = { name, ...state };
      this.#onChange();
    };
    tell({ stage: 'loading' });
    try {
      const download = { onProgress: asDownload(tell), signal };
      if (typeof this.#source === 'string') await downloadModel(this.#source, download);
      tell({ stage: 'loading' });
      const clip = await loadClip(this.#source!, { device, onDownload: download.onProgress, signal });
      tell({ stage: 'loading' });
      await warmUp(clip);
      const facts = await factsOf(device, failure);
      if (signal.aborted) {
        await clip.dispose();
        signal.throwIfAborted();
      }
      this.clip = clip;
      this.device = facts;
      tell({ stage: 'ready' });
      return clip;
    } catch (error) {
      if (device === 'webgpu' && error instanceof LincirError && error.code === 'device')
        return await this.#load(name, 'cpu', error.problem.found);
      tell(signal.aborted ? { ...this.model, stage: 'paused' } : failed(error));
      throw error;
    }
  }

  async #loadPhi(choice: PhiChoice): Promise<Phi> {
    const name = choice.kind === 'preset' ? choice.name : choice.file.name;
    const { signal } = this.#controller;
    const tell = (state: Omit<Loading, 'name'>) => {
      if (signal !== this.#controller.signal) return;
      this.phi = { name, ...state };
      this.#onChange();
    };
    tell({ stage: 'loading' });
    try {
      const clip = await this.#clip;
      if (clip === undefined) throw new Error('choose a model first');
      const source = choice.kind === 'preset' ? name : sourceOf(choice.file, name);
      const download = { onProgress: asDownload(tell), signal };
      if (typeof source === 'string') await downloadPhi(source, download);
      const phi = await loadPhi(source, { clip, ...download });
      tell({ stage: 'ready' });
      return phi;
    } catch (error) {
      tell(signal.aborted ? { stage: 'paused' } : failed(error));
      throw error;
    }
  }
}

/** The first run prepares both towers: better now than at the first search. */
async function warmUp(clip: Clip): Promise<void> {
  const { channels, imageSize } = clip.visionConfig;
  await clip.encodePixels(new Float32Array(channels * imageSize ** 2));
  await clip.encodeTexts(['a photo']);
}

function asDownload(tell: (state: Omit<Loading, 'name'>) => void) {
  return ({ allReceivedBytes: received, allTotalBytes: total }: DownloadProgress) =>
    tell({ stage: 'downloading', received, total });
}

function failed(error: unknown): Omit<Loading, 'name'> {
  return { stage: 'failed', problem: asSentences(error) };
}

function sourceOfModel(choice: ModelChoice): string | ModelFiles {
  if (choice.kind === 'preset') return choice.name;
  if (choice.kind === 'files') return filesOf(choice.name, choice.files);
  return filesIn(choice.name, choice.handle);
}

/** A processor that plays a GPU is slower than by itself. */
async function hasGpu(): Promise<boolean> {
  const adapter = await webgpuAdapter();
  return adapter !== undefined && !adapter.isSoftware;
}

async function factsOf(device: Device, failure?: string): Promise<DeviceFacts> {
  if (device === 'webgpu') return { kind: 'gpu', name: (await webgpuAdapter())?.name ?? 'a GPU' };
  return { kind: 'processor', threads: mostThreads(), ...(failure !== undefined && { failure }) };
}
