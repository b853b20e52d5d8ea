/** Training as a whole: equal to PyTorch's, it learns, it goes on after anything, and it refuses what cannot be. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { readSafetensorsHeader, readTensor } from '../src/core/index.ts';
import { readingFile } from '../src/files/index.ts';
import { type StepMetrics, type TrainingEvent, trainPhi, type Validation } from '../src/training/index.ts';
import { lincir, start } from './command-line.ts';
import { trainingErrors } from './training-reference.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const model = join(fixtures, 'tiny-clip');

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-training-'));
  await writeFile(join(folder, 'captions.txt'), captions(200).join('\n'));
});
after(() => rm(folder, { recursive: true }));

/** Sentences of a small world. */
function captions(count: number): string[] {
  const pick = (words: string, at: number): string => words.split(' ')[at % words.split(' ').length]!;
  return Array.from({ length: count }, (_, at) => {
    const thing = `${pick('red blue small old wooden', at)} ${pick('dog cat boat house tree car hat', at >> 1)}`;
    const place = `${pick('on in near behind', at >> 2)} the ${pick('beach street garden', at)}`;
    return `a ${thing} ${pick('sits waits stands', at >> 3)} ${place}`;
  });
}

const settings = { batch: 16, steps: 12, saveEvery: 3, learningRate: 1e-3, seed: 5, threads: 1 };

function options(out: string) {
  return { ...settings, model, captions: [join(folder, 'captions.txt')], out: join(folder, out) };
}

async function all(events: AsyncIterable<TrainingEvent>): Promise<TrainingEvent[]> {
  return await Array.fromAsync(events);
}

function lossesIn(events: readonly TrainingEvent[]): number[] {
  return events.filter((event): event is StepMetrics => event.kind === 'step').map(({ loss }) => loss);
}

/** Every value of phi, to the bit. */
async function phiOf(run: string, name = 'phi-latest.safetensors'): Promise<string> {
  const { tensors } = await readingFile(join(folder, run, name), readSafetensorsHeader);
  const values = await Promise.all([...tensors.values()].map(readTensor));
  return Buffer.concat(values.map(({ data }) => new Uint8Array(data.buffer))).toString('base64');
}

/** Between the phis of two runs, relative to the second's length. */
async function distance(run: string, other: string): Promise<number> {
  const [a, b] = await Promise.all(
    [run, other].map(async (name) => new Float32Array(Buffer.from(await phiOf(name), 'base64').buffer)),
  );
  const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(a!.map((value, at) => value - b![at]!)) / squares(b!));
}

describe('a step', () => {
  test("is PyTorch's: loss, gradients, and the weights after twenty", async () => {
    const reference = join(fixtures, 'training-step/reference.safetensors');
    const errors = await trainingErrors(model, reference, 200);
    assert.equal(errors.steps, 20);
    assert.ok(errors.moved > 1e-2, 'the reference does not move');
    assert.ok(errors.loss < 1e-5 && errors.gradient < 1e-4, JSON.stringify(errors));
    assert.ok(errors.weights < 1e-4 && errors.entries < 1e-4, JSON.stringify(errors));
  });
});

describe('a run', () => {
  for (const { dropout, part } of [
    { dropout: undefined, part: 1 / 3 },
    { dropout: 0, part: 1 / 5 },
  ]) {
    const name = dropout === undefined ? "the method's dropout" : 'none';
    test(`learns: with ${name}, 300 steps bring the loss below ${part.toFixed(2)} of where it began`, async () => {
      const more = { batch: 64, steps: 300, learningRate: 1e-2, saveEvery: 1000, dropout };
      const losses = lossesIn(await all(trainPhi({ ...options(`learns-${part}`), ...more })));
      const last = losses.slice(-20).reduce((sum, loss) => sum + loss, 0) / 20;
      assert.ok(last < part * losses[0]!, `${losses[0]} to ${last}`);
    });
  }

  test('leaves a folder that a person understands, and that repeats it', async () => {
    const first = await all(trainPhi({ ...options('whole'), ema: true }));
    assert.deepEqual(
      (await readdir(join(folder, 'whole'))).filter((name) => !name.startsWith('events.')).sort(),
      [
        'config.json',
        'metrics.jsonl',
        'phi-ema.safetensors',
        'phi-latest.safetensors',
        'report.html',
        'state.safetensors',
      ],
    );
    const config = JSON.parse(await readFile(join(folder, 'whole/config.json'), 'utf8'));
    const again = await all(trainPhi({ ...config.settings, out: join(folder, 'again') }));
    assert.deepEqual(lossesIn(again), lossesIn(first));
    assert.equal(await phiOf('again'), await phiOf('whole'));
    assert.equal(await phiOf('again', 'phi-ema.safetensors'), await phiOf('whole', 'phi-ema.safetensors'));
    assert.notEqual(await phiOf('whole', 'phi-ema.safetensors'), await phiOf('whole'));
    assert.match(await readFile(join(folder, 'whole/report.html'), 'utf8'), /<svg/);
  });

  test('is ended by its reader or a signal after a step, saved, and goes on', async () => {
    await all(trainPhi(options('undisturbed')));
    for await (const event of trainPhi(options('left'))) {
      if (event.kind === 'step' && event.step === 5) break;
    }
    const abort = new AbortController();
    const part: TrainingEvent[] = [];
    for await (const event of trainPhi({ resume: join(folder, 'left'), signal: abort.signal })) {
      part.push(event);
      if (event.kind === 'step' && event.step === 8) abort.abort();
    }
    assert.equal(part[0]!.kind === 'begin' && part[0]!.step, 5);
    assert.deepEqual(part.at(-1), { kind: 'end', step: 8, reason: 'interrupted' });
    await all(trainPhi({ resume: join(folder, 'left') }));
    assert.equal(await phiOf('left'), await phiOf('undisturbed'));
  });

  test('of a constant rate may be made longer, and finds its captions again', async () => {
    await all(trainPhi({ ...options('longer'), steps: 6 }));
    await all(trainPhi({ resume: join(folder, 'longer'), steps: 12 }));
    await all(trainPhi(options('at-once')));
    // Not to the bit: the finished run has let go of its captions' embeddings.
    assert.ok((await distance('longer', 'at-once')) < 1e-5);
  });

  test('validates early and regularly, and keeps the best of phi and its average', async () => {
    const scores = [0.1, 0.5, 0.4, 0.2];
    const validation: Validation = {
      name: 'given',
      primaryMetric: 'score',
      evaluate: async ({ phi }) => {
        assert.equal((await phi.encode({ shape: [1, 24], data: new Float32Array(24) })).shape[1], 32);
        return { score: scores.shift()! };
      },
    };
    const more = { steps: 60, validateEvery: 60, ema: true, validations: [validation] };
    const events = await all(trainPhi({ ...options('validated'), ...more }));
    const found = events.filter((event) => event.kind === 'validation');
    assert.deepEqual(
      found.map(({ step, phi, best }) => [step, phi, best]),
      [
        [50, 'phi', true],
        [50, 'ema', true],
        [60, 'phi', false],
        [60, 'ema', false],
      ],
    );
    const { metadata } = await readingFile(
      join(folder, 'validated/phi-best.safetensors'),
      readSafetensorsHeader,
    );
    assert.equal(metadata.step, '50');
  });

  test('validates on captions that were held out', async () => {
    const held = join(folder, 'held.txt');
    await writeFile(held, captions(40).join('\n'));
    const events = await all(trainPhi({ ...options('held'), validate: [`captions:${held}`] }));
    const metrics = events.find((event) => event.kind === 'validation')!.metrics;
    assert.deepEqual(Object.keys(metrics), ['R@1', 'R@5', 'loss', 'cosine']);
    assert.ok(
      metrics['R@5']! >= metrics['R@1']! && metrics.cosine! <= 1 && metrics.loss! > 0,
      JSON.stringify(metrics),
    );
  });
});

/** Reads so many lines, and then on. */
async function linesOf(output: Readable, count: number): Promise<void> {
  let lines = 0;
  await new Promise<void>((resolve) => {
    if (count === 0) resolve();
    output.on('data', (bytes: Buffer) => {
      lines += bytes.toString('latin1').split('\n').length - 1;
      if (lines >= count) resolve();
    });
  });
}

describe('a killed run', () => {
  test('goes on to the same phi, 20 times out of 20', { timeout: 1_200_000 }, async () => {
    const settings = '--batch 16 --steps 40 --save-every 2 --seed 9 --threads 1 --ema --json'.split(' ');
    const begin = (out: string) => [
      ...['train', '--model', model, '--captions', join(folder, 'captions.txt'), '--out', out],
      ...settings,
    ];
    const goOn = async (out: string) => {
      const isBegun = (await readdir(join(folder, out)).catch((): string[] => [])).includes('config.json');
      return isBegun ? ['train', '--resume', out, '--json'] : begin(out);
    };
    assert.equal((await lincir(begin('calm'), { folder })).code, 0);
    const expected = await phiOf('calm');
    let killed = 0;
    // What goes on after a kill is killed, too, until it is at the end. All that any of the kills spoilt is in the outcome.
    for (let run = 0; killed < 20; run += 1) {
      const out = `killed-${run}`;
      let ended = false;
      while (!ended && killed < 20) {
        const child = start(await goOn(out), { folder });
        const [stderr, closed] = [text(child.stderr!), once(child, 'close')];
        // After steps, not after a time, since other tests run beside this one; of five, one before its first step.
        const steps = Math.max(0, Math.floor(25 * Math.random()) - 5);
        await Promise.race([closed, linesOf(child.stdout!, steps)]);
        await pause((steps === 0 ? 500 : 50) * Math.random());
        child.kill('SIGKILL');
        await closed;
        ended = child.signalCode === null;
        if (ended) assert.equal(child.exitCode, 0, await stderr);
        else killed += 1;
      }
      const last = await lincir(await goOn(out), { folder });
      assert.equal(last.code, 0, last.stderr);
      assert.equal(await phiOf(out), expected, `run ${run}`);
      const lines = (await readFile(join(folder, out, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n');
      assert.deepEqual(
        lines.map((line) => JSON.parse(line).step),
        Array.from({ length: 40 }, (_, index) => index + 1),
      );
      assert.deepEqual(
        (await readdir(join(folder, out))).filter((name) => name.endsWith('.tmp')),
        [],
      );
    }
  });
});

describe('what cannot be', () => {
  const rejects = (given: object, message: RegExp) =>
    assert.rejects(all(trainPhi({ ...options('never'), ...given })), { name: 'LincirError', message });

  test('a loss that is not finite ends the run, with the last good state kept', async () => {
    await rejects(
      { out: join(folder, 'infinite'), learningRate: 1e30, saveEvery: 1 },
      /step \d+: expected a finite .*captions: "a .*kept in .*infinite; try a lower learning rate/,
    );
    const { tensors } = await readingFile(
      join(folder, 'infinite/phi-latest.safetensors'),
      readSafetensorsHeader,
    );
    for (const tensor of tensors.values()) {
      assert.ok((await readTensor(tensor)).data.every(Number.isFinite));
    }
  });

  test('settings out of range, unknown ones, and folders that are taken', async () => {
    await rejects({ batch: 0 }, /^`batch`: expected at least 1, found 0$/);
    await rejects({ learningrate: 1 }, /expected settings out of captions, .*found.*learningrate/);
    await rejects({ captions: [] }, /`captions`: expected at least one source/);
    await all(trainPhi({ ...options('taken'), steps: 1 }));
    await rejects({ out: join(folder, 'taken') }, /found a run; go on with it with `resume: '/);
    await mkdir(join(folder, 'strange'));
    await writeFile(join(folder, 'strange/notes.txt'), '');
    await rejects({ out: join(folder, 'strange') }, /expected an empty or new folder, found "notes.txt"/);
    await rejects(
      { out: join(folder, 'captions.txt') },
      /captions.txt: expected a place that can be written/,
    );
    await rejects({ validate: ['cirr'] }, /`validate`: expected captions:FILE/);
    await rejects({ precision: 'float16' }, /`precision: 'float16'`: expected one that device 'cpu' offers/);
  });

  test('a resumed run with other settings, another model, or other captions', async () => {
    const mine = join(folder, 'mine.txt');
    await writeFile(mine, captions(30).join('\n'));
    await all(trainPhi({ ...options('settled'), captions: [mine], steps: 2 }));
    const resume = join(folder, 'settled');
    const refuses = (given: object, message: RegExp) =>
      assert.rejects(all(trainPhi({ resume, ...given })), { name: 'LincirError', message });
    await refuses({ batch: 8, seed: 1 }, /batch 8 instead of 16, seed 1 instead of 5/);
    const half = { precision: 'float16', device: 'webgpu' };
    await refuses(half, /found precision "float16" instead of "float32"/);
    await refuses({ model: join(fixtures, 'tiny-clip-laion') }, /expected the model that the run began with/);
    await writeFile(mine, captions(29).join('\n'));
    await refuses({ steps: 4 }, /mine.txt: expected the captions that the run began with, found others/);
    await assert.rejects(all(trainPhi({ resume: join(folder, 'nowhere') })), /expected the folder of a run/);
  });

  test('two processes on one folder', async () => {
    const running = trainPhi(options('shared'));
    await running.next();
    try {
      await rejects({ out: join(folder, 'shared') }, /no other process|process \d+/);
    } finally {
      await running.return();
    }
  });

  test('a model without a text tower', async () => {
    const vision = join(folder, 'vision');
    await cp(model, vision, { recursive: true });
    const config = JSON.parse(await readFile(join(model, 'config.json'), 'utf8'));
    await writeFile(
      join(vision, 'config.json'),
      JSON.stringify({ ...config.vision_config, model_type: 'clip_vision_model' }),
    );
    await rejects({ model: vision }, /expected a model with a text tower/);
  });
});
