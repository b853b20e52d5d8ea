/** Dealing batches out: to whoever is free, again if a device is lost, and no more when none is left. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Candidate, Dealer, type DeviceChange, type Patience } from './dealer.ts';
import type { DeviceFacts, TowerDevice } from './device.ts';

const facts: DeviceFacts = {
  ...{ protocol: 1, fingerprint: 'f', device: 'cpu', precision: 'float32', positions: 9, processes: 1 },
};

const calm: Patience = { first: 60_000, least: 60_000, retry: 60_000, wait: 60_000, again: 60_000 };

/** A device that answers what it was sent. */
function device(name: string, compute: TowerDevice['compute'] = async (task) => task) {
  const state = { name, taken: [] as number[], opened: 0, closed: 0 };
  const candidate: Candidate = {
    name,
    open: async () => {
      state.opened += 1;
      return {
        facts,
        compute: async (task, most) => {
          state.taken.push(task[0]!);
          return await compute(task, most);
        },
        close: async () => {
          state.closed += 1;
        },
      };
    },
  };
  return { ...candidate, state };
}

const work = (number: number, weight = 1) => ({
  task: Uint8Array.of(number),
  weight,
  mostBytes: 9,
  read: ([answer]: Uint8Array) => answer,
});
const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);
const computeAll = (dealer: Dealer, count: number) =>
  Promise.all(numbers(count).map((number) => dealer.compute(work(number))));

test('a fast device gets more, and each has two at a time', async () => {
  let running = 0;
  let most = 0;
  const slow = device('slow', async (task) => {
    running += 1;
    most = Math.max(most, running);
    await pause(50);
    running -= 1;
    return task;
  });
  const fast = device('fast');
  const dealer = await Dealer.open([slow, fast]);
  assert.deepEqual(await computeAll(dealer, 40), numbers(40));
  assert.equal(most, 2);
  assert.ok(fast.state.taken.length > 30, `${fast.state.taken.length}`);
  await dealer.close();
  assert.equal(slow.state.closed + fast.state.closed, 2);
});

test('the longest come first', async () => {
  const only = device('only', async (task) => {
    await pause(1);
    return task;
  });
  const dealer = await Dealer.open([only]);
  await Promise.all([3, 9, 1, 7, 5].map((weight) => dealer.compute(work(weight, weight))));
  // The first two went at once.
  assert.deepEqual(only.state.taken, [3, 9, 7, 5, 1]);
  await dealer.close();
});

for (const [how, compute] of Object.entries({
  fails: async () => {
    throw new Error('broken');
  },
  'answers nonsense': async () => new Uint8Array(0),
  'does not answer': () => new Promise<never>(() => {}),
} satisfies Record<string, TowerDevice['compute']>)) {
  test(`a device that ${how} is lost, and others take its batches`, async () => {
    const changes: DeviceChange[] = [];
    const lost = device('bad', compute);
    const patience = { ...calm, first: 50, least: 50 };
    const dealer = await Dealer.open([lost, device('good')], (change) => changes.push(change), patience);
    const read = ([answer]: Uint8Array) => {
      if (answer === undefined) throw new Error('nonsense');
      return answer;
    };
    const found = numbers(9).map((number) => dealer.compute({ ...work(number), read }));
    assert.deepEqual(await Promise.all(found), numbers(9));
    assert.equal(lost.state.closed, 1);
    assert.deepEqual(
      changes.map(({ device: name, state }) => [name, state]),
      [['bad', 'lost']],
    );
    assert.match(changes[0]!.reason!, /broken|nonsense|no answer/);
    await dealer.close();
  });
}

test('a device that is lost without work is noticed at once, and tried again', async () => {
  const changes: string[] = [];
  const died = Promise.withResolvers<Error>();
  const idle = device('idle');
  const open = async () => {
    const opened = await idle.open();
    return idle.state.opened === 1 ? { ...opened, lost: died.promise } : opened;
  };
  const back = Promise.withResolvers<void>();
  const dealer = await Dealer.open(
    [{ name: 'idle', open }, device('other')],
    ({ device: name, state, reason }) => {
      changes.push(`${name} ${state}: ${reason}`);
      if (state === 'back') back.resolve();
    },
    { ...calm, first: 99, least: 99, retry: 20 },
  );
  died.resolve(new Error('killed'));
  const alive = setInterval(() => {}, 1000);
  await back.promise;
  clearInterval(alive);
  assert.deepEqual(changes, ['idle lost: killed', 'idle back: undefined']);
  assert.equal(dealer.devices.length, 2);
  await dealer.close();
});

test('a lost device is tried again, and comes back', async () => {
  const changes: string[] = [];
  let isWell = false;
  const passing = device('passing', async (task) => {
    if (!isWell) throw new Error('not now');
    return task;
  });
  const back = Promise.withResolvers<void>();
  const onChange = ({ device: name, state }: DeviceChange) => {
    changes.push(`${name} ${state}`);
    if (state === 'back') back.resolve();
  };
  const dealer = await Dealer.open([passing, device('other')], onChange, {
    ...calm,
    ...{ first: 99, least: 99, retry: 20 },
  });
  await computeAll(dealer, 5);
  isWell = true;
  // The dealer's own timer keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  await back.promise;
  clearInterval(alive);
  const before = passing.state.taken.length;
  await computeAll(dealer, 5);
  assert.ok(passing.state.taken.length > before);
  assert.deepEqual(changes, ['passing lost', 'passing back']);
  await dealer.close();
});

test('when none is left, all that is due fails, with what became of each', async () => {
  const broken = (name: string) =>
    device(name, async () => {
      throw new Error(`${name} broke`);
    });
  const dealer = await Dealer.open([broken('one'), broken('two')]);
  const message =
    /devices: expected at least one that computes, found that all are lost: .*one broke.*two broke/;
  const found = await Promise.allSettled(numbers(9).map((number) => dealer.compute(work(number))));
  for (const result of found) {
    assert.ok(result.status === 'rejected');
    assert.match(String(result.reason), message);
  }
  await assert.rejects(dealer.compute(work(1)), { code: 'device', message });
  await dealer.close();
});

describe('when no device is left, one that may come back', () => {
  const quick = { ...calm, first: 50, least: 50, wait: 400, again: 20 };
  const states = (changes: readonly DeviceChange[]) => changes.map(({ state }) => state);

  test('is waited for, and goes on with what was due', async () => {
    const changes: DeviceChange[] = [];
    let isSilent = true;
    const lender = device('lender', (task) =>
      isSilent ? new Promise<never>(() => {}) : Promise.resolve(task),
    );
    const candidates = [
      { ...lender, isAwaited: true },
      device('process', () => Promise.reject(new Error('died'))),
    ];
    const onChange = (change: DeviceChange) => {
      changes.push(change);
      if (change.state === 'awaited') isSilent = false;
    };
    const dealer = await Dealer.open(candidates, onChange, quick);
    assert.deepEqual(await computeAll(dealer, 9), numbers(9));
    assert.deepEqual(states(changes), ['lost', 'lost', 'awaited', 'back']);
    const { device: name, reason } = changes[2]!;
    assert.deepEqual([name, reason], ['lender', 'no device is left; this one has 400 ms to come back']);
    assert.equal(lender.state.opened, 2);
    await dealer.close();
  });

  test('has a limited time for a result, even if it says that it is there', async () => {
    const changes: DeviceChange[] = [];
    const lender = device('lender', () => Promise.reject(new Error('too hot')));
    const dealer = await Dealer.open(
      [{ ...lender, isAwaited: true }],
      (change) => changes.push(change),
      quick,
    );
    const message = /that all are lost, with no result in 400 ms: device lender: too hot$/;
    await assert.rejects(computeAll(dealer, 3), { code: 'device', message });
    assert.ok(lender.state.opened > 3, `${lender.state.opened} times`);
    assert.equal(states(changes).filter((state) => state === 'awaited').length, 1);
    await assert.rejects(dealer.compute(work(1)), { code: 'device' }, 'it is given up');
    await dealer.close();
  });

  test('is not waited for when all is closed', async () => {
    const lender = device('lender', () => Promise.reject(new Error('away')));
    const awaited = Promise.withResolvers<void>();
    const onChange = ({ state }: DeviceChange) => state === 'awaited' && awaited.resolve();
    const dealer = await Dealer.open([{ ...lender, isAwaited: true }], onChange, calm);
    const due = assert.rejects(dealer.compute(work(1)), { message: /that all are closed/ });
    await awaited.promise;
    await dealer.close();
    await due;
  });
});

test('if one cannot be opened, none stays open', async () => {
  const good = device('good');
  const bad: Candidate = { name: 'bad', open: () => Promise.reject(new Error('no such device')) };
  await assert.rejects(Dealer.open([good, bad]), /no such device/);
  assert.equal(good.state.closed, good.state.opened);
});
