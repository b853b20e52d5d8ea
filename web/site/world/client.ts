/** The miniature world as the page sees it: everything computes in workers, and answers come as promises. */

import { LincirError } from '../../../src/core/index.ts';
import { miniRecipe, sceneSvg } from '../../../src/mini/portable.ts';
import { startWorker } from '../shell/start-worker.ts';
import { Caller, errorOf } from './calls.ts';
import type { DownloadNews, WorldNews } from './first-files.ts';
import type { LearningFunctions, LearningNews } from './learning-worker.ts';
import learningScript from './learning-worker.ts?worker&url';
import type {
  Evaluation,
  Explaining,
  LearningState,
  MaskedExample,
  MiniQuery,
  PhiChoice,
  Picture,
  Reading,
  SearchAnswer,
  SearchOptions,
  Threads,
  World,
  WorldOptions,
} from './protocol.ts';
import type { QueryFunctions } from './query-worker.ts';
import queryScript from './query-worker.ts?worker&url';
import { threadsHere } from './threads.ts';

/** Side of a drawing, in pixels, if nobody asks for another. */
const defaultSide = 128;
/** Milliseconds between the readiness for questions and the start of the thread that learns. */
const pauseBeforeLearning = 1500;

/** Begins to download what the first answer takes. */
export function openWorld(options: WorldOptions = {}): World & Explaining {
  return new WorkingWorld(options);
}

class WorkingWorld implements World, Explaining {
  readonly learn: World['learn'];
  readonly threads: Threads;
  pictures: readonly Picture[] = [];
  queries: readonly MiniQuery[] = [];
  figures: World['figures'];
  readonly #data: string;
  readonly #onFailure: (error: Error) => void;
  readonly #workers = new Set<Worker>();
  readonly #asking: Caller<QueryFunctions>;
  readonly #ready: Promise<void>;
  readonly #listeners = new Set<(state: LearningState) => void>();
  #learning: Caller<LearningFunctions> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state: LearningState;

  constructor({ onProgress, onKnown, onFailure, data }: WorldOptions) {
    this.#data = (data ?? new URL('world/', document.baseURI)).href;
    this.#onFailure = onFailure ?? (() => {});
    this.threads = threadsHere();
    const { steps, batch } = miniRecipe;
    this.#state = { phase: 'idle', step: 0, steps, batch, losses: [], examples: [], isStored: true };
    const worker = startWorker(new URL(queryScript, import.meta.url).href, 'queries');
    this.#asking = new Caller(worker, (news: DownloadNews | WorldNews) => {
      if ('bytes' in news) return onProgress?.(news.bytes, news.total);
      this.pictures = news.pictures;
      this.queries = news.queries;
      this.figures = news.figures;
      onKnown?.();
    });
    this.#watch(worker, (error) => {
      this.#asking.fail(error);
      this.#onFailure(error);
    });
    this.#ready = this.#asking.call('open', [this.#data]).then(() => {
      // Not at once: starting it would hold up the first answer.
      this.#timer = setTimeout(() => this.#openLearning(), pauseBeforeLearning);
    });
    this.#ready.catch(() => {}); // told of by ready()
    const world = this;
    this.learn = {
      get state() {
        return world.#state;
      },
      subscribe(listener) {
        world.#listeners.add(listener);
        return () => world.#listeners.delete(listener);
      },
      start: () => this.#learn('start'),
      stop: () => this.#learn('stop'),
      forget: () => this.#learn('forget'),
    };
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  drawing(id: number, side = defaultSide): string {
    const picture = this.pictures[id - 1];
    if (picture) return sceneSvg(picture.scene, side, picture.variant);
    throw new LincirError('bad-argument', {
      subject: 'the picture',
      expected: `a number from 1 to ${this.pictures.length}`,
      found: `${id}`,
    });
  }

  async search(options: SearchOptions): Promise<SearchAnswer> {
    return await this.#asking.call('search', [options]);
  }

  async example(): Promise<MaskedExample> {
    return await this.#asking.call('example', []);
  }

  async read(example: MaskedExample, phi?: PhiChoice | 'untrained'): Promise<Reading> {
    return await this.#asking.call('read', [example, phi]);
  }

  async cosines(
    pictures: readonly number[],
    texts: readonly string[],
  ): Promise<readonly (readonly number[])[]> {
    return await this.#asking.call('cosines', [pictures, texts]);
  }

  async evaluate(phi: PhiChoice = 'ready'): Promise<Evaluation> {
    await this.#ready;
    return await this.#openLearning().call('evaluate', [phi]);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const worker of this.#workers) worker.terminate();
    const error = new Error('the miniature world was closed');
    this.#asking.fail(error);
    this.#learning?.fail(error);
    this.#listeners.clear();
  }

  async #learn(what: 'start' | 'stop' | 'forget'): Promise<void> {
    await this.#ready;
    await this.#openLearning().call(what, []);
  }

  /** The thread that learns: begun when answers can be given, and again after it died. */
  #openLearning(): Caller<LearningFunctions> {
    if (this.#learning) return this.#learning;
    const worker = startWorker(new URL(learningScript, import.meta.url).href, 'learning');
    const learning = new Caller<LearningFunctions>(worker, (news: LearningNews) => this.#take(news));
    this.#learning = learning;
    this.#watch(worker, (error) => {
      learning.fail(error);
      this.#learning = undefined;
      this.#change({ ...this.#state, phase: 'failed', error });
    });
    const { port1, port2 } = new MessageChannel();
    this.#asking.call('follow', [port1], [port1]).catch(() => {}); // its thread is gone: that is told of elsewhere
    learning.call('open', [this.#data, port2], [port2]).catch(() => {}); // as above
    return learning;
  }

  #take({ failure, ...state }: LearningNews): void {
    this.#change(failure ? { ...state, error: errorOf(failure) } : state);
  }

  #change(state: LearningState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  /** Tells of a thread that ended without an answer: out of memory, for example, or a script that did not come. */
  #watch(worker: Worker, onDeath: (error: Error) => void): void {
    this.#workers.add(worker);
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      worker.terminate();
      this.#workers.delete(worker);
      onDeath(
        new LincirError('device', {
          subject: 'a worker of this page',
          expected: 'to go on computing',
          found: event.message || 'that it ended, or did not load',
          todo: 'load the page again; if it happens again, close other tabs, since memory may be short',
        }),
      );
    });
  }
}
