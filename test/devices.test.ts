/** Training on several devices, with real processes: the same phi to the bit, whatever becomes of them. */

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { loadClip } from '../src/clip/index.ts';
import { readSafetensorsHeader, readTensor } from '../src/core/index.ts';
import { readingFile } from '../src/files/index.ts';
import { type DeviceChange, type RunOptions, type TrainingEvent, trainPhi } from '../src/training/index.ts';
import { lincir, start } from './command-line.ts';
import { tinyModel as model } from './served.ts';

const key = '0123456789abcdef';
const needsProc = process.platform !== 'linux' && 'it finds processes in /proc';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-devices-'));
  const words = 'red blue small old dog cat boat house on in near the beach street garden'.split(' ');
  const captions = Array.from({ length: 120 }, (_, at) =>
    ['a', ...words.slice(at % 5, 3 + (at % 12)), words[at % 7], `number ${at}`].join(' '),
  );
  await writeFile(join(folder, 'captions.txt'), captions.join('\n'));
  await writeFile(join(folder, 'key.txt'), key);
  await all({ ...options('calm'), device: 'cpu' });
});
after(() => rm(folder, { recursive: true }));

const settings = {
  ...{ batch: 48, steps: 6, saveEvery: 1000, learningRate: 1e-3, seed: 5, threads: 1 },
  positionsPerRun: 80,
};

function options(out: string) {
  return { ...settings, model, captions: [join(folder, 'captions.txt')], out: join(folder, out) };
}

async function all(given: RunOptions): Promise<TrainingEvent[]> {
  return await Array.fromAsync(trainPhi(given));
}

/** Every value of phi, to the bit. */
async function phiOf(run: string): Promise<string> {
  const file = join(folder, run, 'phi-latest.safetensors');
  const { tensors } = await readingFile(file, readSafetensorsHeader);
  const values = await Promise.all([...tensors.values()].map(readTensor));
  return Buffer.concat(values.map(({ data }) => new Uint8Array(data.buffer))).toString('base64');
}

async function expectCalm(run: string): Promise<void> {
  assert.equal(await phiOf(run), await phiOf('calm'));
}

/** The processes that a process has started for devices. */
async function devicesOf(parent: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const status = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const [state, owner] = status.slice(status.lastIndexOf(')') + 2).split(' ');
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (state !== 'Z' && Number(owner) === parent && command.includes('device-child'))
      found.push(Number(name));
  }
  return found;
}

/** Waits until none of the processes is left. */
async function ended(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    while ((await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')) !== '') await pause(20);
  }
}

describe('phi', () => {
  test('is the same to the bit on one, two and three processes', async () => {
    for (const devices of ['cpu', 'cpu:2', 'cpu:3']) {
      const events = await all({ ...options(devices), devices: [devices] });
      assert.deepEqual(
        events.filter(({ kind }) => kind === 'device'),
        [],
      );
      await expectCalm(devices);
    }
  });

  test('is the same if a run goes on with other devices', async () => {
    for await (const event of trainPhi({ ...options('changing'), devices: ['cpu:2'] })) {
      if (event.kind === 'step' && event.step === 2) break;
    }
    const resume = join(folder, 'changing');
    const oneStep = async (given: Partial<RunOptions>, stored: string[] | undefined) => {
      for await (const event of trainPhi({ resume, ...given } as RunOptions))
        if (event.kind === 'step') break;
      const config = JSON.parse(await readFile(join(resume, 'config.json'), 'utf8'));
      assert.deepEqual(config.settings.devices, stored);
    };
    await oneStep({}, ['cpu:2']);
    await oneStep({ devices: ['cpu'] }, ['cpu']);
    await oneStep({ device: 'cpu' }, undefined);
    await all({ resume });
    await expectCalm('changing');
  });
});

describe('a lost process', { skip: needsProc }, () => {
  test('gives its batches to the others, in the middle of a step', async () => {
    const events = trainPhi({ ...options('killed'), devices: ['cpu:3'] });
    const seen: TrainingEvent[] = [];
    for (let isKilled = false; ; ) {
      const coming = events.next();
      const [victim] = await devicesOf(process.pid);
      if (!isKilled && seen.some(({ kind }) => kind === 'step') && victim !== undefined) {
        // Stopped first: it surely has batches that it will not answer.
        process.kill(victim, 'SIGSTOP');
        await pause(30);
        process.kill(victim, 'SIGKILL');
        isKilled = true;
      }
      const { value, done } = await coming;
      if (done) break;
      seen.push(value as TrainingEvent);
    }
    const [lost, ...others] = seen.filter((event) => event.kind === 'device');
    assert.deepEqual(others, []);
    assert.match(lost!.device, /^cpu, process \d$/);
    assert.match(lost!.reason!, /expected that its process goes on, found that it was killed/);
    const log = await readFile(join(folder, 'killed/metrics.jsonl'), 'utf8');
    assert.match(log, /"kind":"device","step":\d,"device":"cpu, process \d","state":"lost","reason":"device/);
    await expectCalm('killed');
  });

  test('is noticed at once, even without work', async () => {
    // One batch a step: it always goes to the first device.
    const one = { batch: 4, steps: 4, devices: ['cpu:2'] };
    const seen: TrainingEvent[] = [];
    for await (const event of trainPhi({ ...options('idle'), ...one })) {
      seen.push(event);
      if (event.kind !== 'step' || event.step !== 2) continue;
      const pids = await devicesOf(process.pid);
      const idle = Math.max(...pids);
      process.kill(idle, 'SIGKILL');
      await ended([idle]);
    }
    const lost = seen.filter((event) => event.kind === 'device');
    assert.deepEqual(
      lost.map(({ state }) => state),
      ['lost'],
    );
    assert.match(lost[0]!.reason!, /found that it was killed/);
    assert.match(await readFile(join(folder, 'idle/metrics.jsonl'), 'utf8'), /"kind":"device"/);
  });

  test('if it was the last one, the run ends, saved, and goes on when told to', async () => {
    const events = trainPhi({ ...options('all-lost'), devices: ['cpu:2'] });
    const losing = async () => {
      for await (const event of events) {
        if (event.kind !== 'step' || event.step !== 3) continue;
        for (const pid of await devicesOf(process.pid)) process.kill(pid, 'SIGKILL');
      }
    };
    const message =
      /devices: expected at least one that computes, found that all are lost: .*process 1.*process 2.*; what is done is saved: go on with `resume: '.*all-lost'`/;
    await assert.rejects(losing(), { code: 'device', message });
    const log = await readFile(join(folder, 'all-lost/metrics.jsonl'), 'utf8');
    assert.equal(log.match(/"kind":"device"/g)?.length, 2);
    const [begun] = await all({ resume: join(folder, 'all-lost'), devices: ['cpu:3'] });
    assert.equal(begun?.kind === 'begin' && begun.step, 3);
    await expectCalm('all-lost');
  });

  test('processes end with the one that started them, killed or interrupted', async () => {
    for (const signal of ['SIGKILL', 'SIGINT'] as const) {
      const out = `ended-${signal}`;
      const more = ['--batch', '48', '--steps', '100000', '--devices', 'cpu:2', '--threads', '1', '--json'];
      const command = ['train', '--model', model, '--captions', 'captions.txt', '--out', out, ...more];
      const child = start(command, { folder });
      const closed = once(child, 'close');
      await stepIn(child);
      const pids = await devicesOf(child.pid!);
      assert.equal(pids.length, 2);
      child.kill(signal);
      await closed;
      await ended(pids);
      if (signal === 'SIGINT') assert.equal(child.exitCode, 130);
    }
    assert.ok((await readdir(join(folder, 'ended-SIGINT'))).includes('state.safetensors'));
  });
});

test('a silent process does not delay an interruption, and ends', { skip: needsProc }, async () => {
  const more = ['--batch', '48', '--steps', '100000', '--devices', 'cpu', '--threads', '1', '--json'];
  const command = ['train', '--model', model, '--captions', 'captions.txt', '--out', 'silent', ...more];
  const child = start(command, { folder });
  const closed = once(child, 'close');
  let told = '';
  child.stderr!.on('data', (chunk) => {
    told += chunk;
  });
  await stepIn(child);
  const pids = await devicesOf(child.pid!);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await pause(300); // now the training surely waits for it
  child.kill('SIGINT');
  await closed;
  await ended(pids);
  assert.equal(child.exitCode, 130);
  assert.match(told, /stopped after step \d+, all saved: lincir train --resume/);
  assert.ok((await readdir(join(folder, 'silent'))).includes('state.safetensors'));
});

/** Waits for the first step of a training that prints JSON. */
async function stepIn(child: ChildProcess): Promise<void> {
  let text = '';
  await new Promise<void>((resolve) => {
    child.stdout!.on('data', (chunk) => {
      text += chunk;
      if (text.includes('"kind":"step"')) resolve();
    });
  });
}

describe('another machine', () => {
  const from = (address: string, more: object = {}) => ({
    ...{ ...options(`remote-${Math.random()}`), devices: [address], apiKey: key },
    ...more,
  });
  const refuses = async (given: RunOptions, message: RegExp) =>
    await assert.rejects(all(given), { name: 'LincirError', message });

  test('lends its devices to whoever has the key and the same model', { timeout: 120_000 }, async () => {
    const command = [
      'lend',
      '--model',
      model,
      '--devices',
      'cpu:2',
      '--port',
      '0',
      '--positions-per-run',
      '80',
    ];
    const lender = start([...command, '--api-key-file', 'key.txt'], { folder });
    try {
      const address = await addressOf(lender);
      await all({ ...options('lent'), devices: [address, 'cpu'], apiKey: key });
      await expectCalm('lent');
      await all({ ...options('lent-all'), devices: [address], apiKey: key });
      await expectCalm('lent-all');
      await refuses(from(address, { apiKey: 'another key' }), /expected that it takes our key/);
      await refuses(from(address, { apiKey: undefined }), /takes our key.*give its key with `apiKey`/);
      const other = join(import.meta.dirname, 'fixtures/tiny-clip-laion');
      await refuses(
        from(address, { model: other }),
        /: model: expected fingerprint \w+, found \w+; let that/,
      );
      await refuses(from(address, { positionsPerRun: 81 }), /positions of a batch: expected at least 81/);
    } finally {
      const closed = once(lender, 'close');
      lender.kill('SIGTERM');
      await closed;
    }
  });

  test('is waited for if it is the only one, and goes on when it is back', { timeout: 120_000 }, async () => {
    const command = [
      'lend',
      '--model',
      model,
      '--positions-per-run',
      '80',
      '--api-key-file',
      'key.txt',
      '--port',
    ];
    let lender = start([...command, '0'], { folder });
    try {
      const address = await addressOf(lender);
      const told: string[] = [];
      const onDeviceChange = ({ state, reason }: DeviceChange) => {
        told.push(`${state}: ${reason}`);
        if (state === 'awaited') lender = start([...command, new URL(address).port], { folder });
      };
      const run = { ...options('awaited'), devices: [address], apiKey: key, onDeviceChange };
      const seen: TrainingEvent[] = [];
      for await (const event of trainPhi(run)) {
        seen.push(event);
        if (event.kind === 'step' && event.step === 2) lender.kill('SIGKILL');
      }
      assert.match(
        told.join('\n'),
        /^lost: .*\nawaited: no device is left; this one has 10 min to come back\nback: undefined$/,
      );
      const states = seen.flatMap((event) => (event.kind === 'device' ? [event.state] : []));
      assert.deepEqual(states, ['lost', 'awaited', 'back']);
      await expectCalm('awaited');
    } finally {
      lender.kill('SIGKILL');
    }
  });

  test('that is not there, or something else, is refused before the first step', async () => {
    const hangsUp = await machine((response) => response.destroy());
    const page = await machine((response) => response.end('<html>'));
    const old = await machine((response) => response.end(JSON.stringify({ ...facts, protocol: 0 })));
    const large = await machine((response) => response.end(' '.repeat(100_000)));
    const elsewhere = await machine((response) => response.writeHead(302, { location: page.url }).end());
    const failing = await machine((response) => response.writeHead(500).end('{"detail":"too hot"}'));
    try {
      const early = join(folder, 'early');
      await refuses(
        from('http://127.0.0.1:9', { out: early }),
        /expected an answer, found .*; check the address/,
      );
      await refuses(from(hangsUp.url), /expected an answer, found/);
      await refuses(from(page.url), /device http.*JSON/);
      await refuses(from(old.url), /protocol: expected 1, found 0; use the same version/);
      await refuses(from(large.url), /expected an answer of at most 65536 bytes, found more/);
      await refuses(from(elsewhere.url), /expected an answer, found .*redirect/);
      await refuses(from(failing.url), /found status 500: "too hot"/);
      // Nothing was begun: the same command does, once the device is there.
      await all({ ...options('early'), steps: 1, devices: ['cpu'] });
    } finally {
      for (const { close } of [hangsUp, page, old, large, elsewhere, failing]) close();
    }
  });

  test('that answers nonsense, too much or nothing in the run is left alone', async () => {
    facts.fingerprint = (await loadClip(model)).fingerprint;
    const hello = (response: ServerResponse) => response.end(JSON.stringify(facts));
    for (const [reason, answer] of [
      [/safetensors header/, (response) => response.end('nonsense, and more of it')],
      [/at most \d+ bytes, found more/, (response) => response.end(Buffer.alloc(1_000_000))],
      [/expected an answer/, (response) => response.destroy()],
      [/status 503: "later"/, (response) => response.writeHead(503).end('later')],
    ] as [RegExp, (response: ServerResponse) => void][]) {
      const bad = await machine((response, method) => (method === 'GET' ? hello : answer)(response));
      const out = `bad-${reason.source.replaceAll(/\W/g, '')}`;
      try {
        const events = await all({ ...options(out), devices: [bad.url, 'cpu'], apiKey: key });
        const lost = events.filter((event) => event.kind === 'device');
        assert.deepEqual(
          lost.map(({ device, state }) => [device, state]),
          [[bad.url, 'lost']],
        );
        assert.match(lost[0]!.reason!, reason);
        await expectCalm(out);
      } finally {
        bad.close();
      }
    }
  });
});

const facts = {
  ...{ protocol: 1, fingerprint: '', device: 'cpu', precision: 'float32', positions: 80, processes: 1 },
};

/** A server that answers everything so. */
async function machine(answer: (response: ServerResponse, method: string | undefined) => void) {
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(response, request.method));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, close };
}

/** Where a machine that is starting lends its devices. */
async function addressOf(lender: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of lender.stderr!) {
    text += chunk;
    const [address] = /http:\S+\d/.exec(text) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error(text);
}

describe('the command line', () => {
  const train = (...more: string[]) => {
    const command = ['train', '--model', model, '--captions', 'captions.txt', '--out', 'never'];
    return lincir([...command, ...more], { folder });
  };

  test('refuses two answers to one question, and devices that are none', async () => {
    const both = await train('--device', 'cpu', '--devices', 'cpu:2');
    assert.match(
      both.stderr,
      /--devices: expected either --device or --devices, found both; leave out --device/,
    );
    assert.equal(both.code, 2);
    const none = await train('--devices', 'cpu:2,gpu');
    assert.match(none.stderr, /--devices: expected 0 or cuda:0, webgpu, .*found "gpu"/);
    const mixed = await train('--devices', 'cpu,0');
    assert.match(mixed.stderr, /expected devices of one kind, found cpu and cuda/);
    assert.ok(!(await readdir(folder)).includes('never'));
  });

  test('says in plain words which settings there are', async () => {
    for (const [given, message] of [
      [{ devices: 'cpu:2' }, /`devices`: expected a list such as \['cpu:2'\], found/],
      [{ precision: 'int8' }, /expected float32, tf32, bfloat16 or float16, found "int8"/],
      [{ precision: 'float16' }, /offers here \(float32(, bfloat16)?\), found 'float16'/],
      [
        { devices: ['http://localhost:1'] },
        /device http:\/\/localhost:1: expected an answer, found a port that HTTP may not use; check/,
      ],
    ] as [object, RegExp][]) {
      await assert.rejects(all({ ...options('refused'), ...given } as RunOptions), { message });
    }
  });

  test('lends to nobody beyond this machine without a key', async () => {
    const open = await lincir(['lend', '--model', model, '--host', '0.0.0.0', '--port', '0'], { folder });
    assert.match(open.stderr, /--host 0.0.0.0: expected keys/);
    assert.equal(open.code, 2);
  });
});
