/**
 * PyTorch at its best, as sides of a benchmark: the fastest of its settings in float32 and in bfloat16, each as it is and
 * compiled.
 */

import { rounded } from './results.ts';
import { Peer, type PeerAnswer, type Side, speedup, type Timing } from './turns.ts';

const precisions = ['float32', 'bfloat16'] as const;
type Precision = (typeof precisions)[number];
export type TorchSide = Precision | `${Precision}Compiled`;

/** Options of a peer by the name of a setting. */
type Settings = Readonly<Record<string, readonly string[]>>;

const attentions: Settings = { sdpa: [], eager: ['--attention', 'eager'] };
/** Ways to compute in a precision. bfloat16 is cast to at every operation, or the weights are cast once. */
const ways: Readonly<Record<Precision, Settings>> = {
  float32: { float32: [] },
  bfloat16: { autocast: ['--precision', 'autocast'], weights: ['--precision', 'bfloat16'] },
};

/** A lower cosine to float32 is a fault, not bfloat16. */
const leastCosine = 0.9;

interface TorchOptions {
  /** Settings of which the fastest counts. */
  readonly settings?: Settings;
  /** Options to find the fastest setting with, where the whole work takes minutes. */
  readonly screening?: readonly string[];
  /** Takes the settings that were the fastest there, and tries no others. */
  readonly like?: Torch;
  /** Leave out bfloat16 and compiling, which take minutes to try for a large model. */
  readonly isQuick?: boolean;
}

interface Chosen {
  /** The fastest setting. */
  readonly setting: string;
  /** Seconds of all settings that were tried. */
  readonly tried: Readonly<Record<string, number>>;
}

export class Torch {
  readonly #peers = new Map<TorchSide, Peer>();
  readonly #answers = new Map<TorchSide, PeerAnswer>();
  readonly #chosen = new Map<Precision, Chosen>();
  readonly #failures: Partial<Record<TorchSide, string>> = {};

  static async start(
    script: string,
    options: readonly string[],
    { settings = attentions, screening = options, like, isQuick = false }: TorchOptions = {},
  ): Promise<Torch> {
    const torch = new Torch();
    for (const precision of isQuick ? (['float32'] as const) : precisions) {
      const given = combined(ways[precision], settings);
      const found = like ? like.#chosen.get(precision)! : await fastestOf(script, screening, given);
      torch.#chosen.set(precision, found);
      const chosen = [...options, ...given[found.setting]!];
      torch.#peers.set(precision, await Peer.start(script, chosen));
      if (isQuick) continue;
      try {
        torch.#peers.set(`${precision}Compiled`, await Peer.start(script, [...chosen, '--compile']));
      } catch (error) {
        torch.#failures[`${precision}Compiled`] = String(error); // without a compiler for C++, say
      }
    }
    return torch;
  }

  /** For `takeTurns`, named as `TorchSide`. */
  get sides(): Readonly<Record<string, Side>> {
    const side = (name: TorchSide, peer: Peer) => async () => {
      const answer = await peer.run();
      this.#answers.set(name, answer);
      return answer.seconds;
    };
    return Object.fromEntries(Array.from(this.#peers, ([name, peer]) => [name, side(name, peer)]));
  }

  /** How fast they and ours are beside them, and how exact they are. */
  compared(ours: Timing, times: Readonly<Record<string, Timing>>) {
    const names = [...this.#peers.keys()];
    const fastest = (among: readonly TorchSide[]): TorchSide =>
      among.reduce((a, b) => (times[b]!.median < times[a]!.median ? b : a));
    const asFast = (name: TorchSide): number => rounded(speedup(ours, times[name]!));
    const better = fastest(names.filter((name) => !name.endsWith('Compiled')));
    const best = fastest(names);
    return {
      torch: this.#answers.get('float32')!.torch,
      torchSettings: Object.fromEntries(this.#chosen),
      torchFailures: this.#failures,
      torchSides: Object.fromEntries(names.map((name) => [name, this.#exactness(name, times[name]!)])),
      timesAsFastAsTorch: Object.fromEntries(names.map((name) => [name, asFast(name)])),
      /** Of float32 and bfloat16, not compiled. */
      betterTorch: { side: better, timesAsFast: asFast(better) },
      bestTorch: { side: best, timesAsFast: asFast(best) },
    };
  }

  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#peers.values(), (peer) => peer.stop()));
  }

  #exactness(name: TorchSide, { median }: Timing) {
    const { cosine, largest_error } = this.#answers.get(name)!;
    if (cosine < leastCosine) throw new Error(`PyTorch ${name}: a cosine of ${cosine} to its float32`);
    return { seconds: rounded(median), leastCosine: cosine, largestError: rounded(largest_error) };
  }
}

/** Every setting of `a` with every one of `b`. */
function combined(a: Settings, b: Settings): Settings {
  return Object.fromEntries(
    Object.entries(a).flatMap(([first, given]) =>
      Object.entries(b).map(([second, more]) => [`${first} ${second}`, [...given, ...more]]),
    ),
  );
}

async function fastestOf(script: string, options: readonly string[], given: Settings): Promise<Chosen> {
  const tried: Record<string, number> = {};
  for (const [name, more] of Object.entries(given)) {
    tried[name] = rounded(await quickest(script, [...options, ...more]));
  }
  const setting = Object.keys(tried).reduce((a, b) => (tried[b]! < tried[a]! ? b : a));
  return { setting, tried };
}

/** The least seconds of three passes. */
async function quickest(script: string, options: readonly string[]): Promise<number> {
  const peer = await Peer.start(script, options);
  const answers = [await peer.run(), await peer.run(), await peer.run()];
  await peer.stop();
  return Math.min(...answers.map(({ seconds }) => seconds));
}
