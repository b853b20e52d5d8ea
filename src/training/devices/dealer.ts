/** Deals batches out to devices: the longest first, so that all end together. A device that is lost gives its batches back. */

import { formatDuration, LincirError } from '../../core/index.ts';
import type { TowerDevice } from './device.ts';
import { within } from './within.ts';

/** A device by its name, and how to reach it, the first time and again after it was lost. */
export interface Candidate {
  readonly name: string;
  readonly open: () => Promise<TowerDevice>;
  /** If no device is left, it is worth waiting for this one: another machine's network may be away. */
  readonly isAwaited?: boolean;
}

/** What happened to a device. */
export interface DeviceChange {
  readonly device: string;
  /** `awaited`: no device is left, so all waits for this one. `differs`: its last bits are not those of another. */
  readonly state: 'lost' | 'awaited' | 'differs' | 'back';
  /** Of what has happened. Absent for `back`. */
  readonly reason?: string;
}

/** Bytes to compute. */
export interface Work<Result> {
  readonly task: Uint8Array<ArrayBuffer>;
  /** How long it takes, compared with others. */
  readonly weight: number;
  /** Bytes of the answer at most. */
  readonly mostBytes: number;
  /** Reads the answer. If it throws, the device counts as lost. */
  readonly read: (answer: Uint8Array<ArrayBuffer>) => Promise<Result> | Result;
}

/** In milliseconds. */
export interface Patience {
  /** For the first answer of a device, which may compile its programs before. */
  readonly first: number;
  /** For each further one: ten times the longest so far, and at least so long. */
  readonly least: number;
  /** Before a lost device is tried again. Doubles each time. */
  readonly retry: number;
  /** When no device is left: for a result of one that is awaited. */
  readonly wait: number;
  /** Then, before it is tried again. */
  readonly again: number;
}
export const usualPatience: Patience = {
  ...{ first: 280_000, least: 60_000, retry: 60_000 },
  ...{ wait: 600_000, again: 5000 },
};
const longestRetry = 16 * 60_000;

/** Batches that a process has at once: one that it computes, and one so that it need not wait. */
const batchesPerProcess = 2;

interface Pending {
  readonly work: Work<unknown>;
  readonly settle: PromiseWithResolvers<unknown>;
}

/** A device in use. */
interface Member {
  readonly candidate: Candidate;
  readonly device: TowerDevice;
  readonly capacity: number;
  running: number;
  longest: number;
}

/** Owns devices: close it. */
export class Dealer {
  readonly #members = new Set<Member>();
  readonly #queue: Pending[] = [];
  readonly #patience: Patience;
  readonly #onChange: (change: DeviceChange) => void;
  readonly #reasons = new Map<Candidate, string>();
  /** Of lost devices, and when they are tried again; undefined while that is done. */
  readonly #retries = new Map<Candidate, NodeJS.Timeout | undefined>();
  #closed = false;
  /** While no device is left, and some are awaited: resolves when one of them gives a result. */
  #awaiting: PromiseWithResolvers<void> | undefined;
  /** Since then, there was no result. */
  #isGivenUp = false;
  /** Bytes sent and received so far. */
  readonly traffic = { sent: 0, received: 0 };

  private constructor(onChange: (change: DeviceChange) => void, patience: Patience) {
    this.#onChange = onChange;
    this.#patience = patience;
  }

  /** Opens all devices. If one cannot be opened, throws what that threw, and none stays open. */
  static async open(
    candidates: readonly Candidate[],
    onChange: (change: DeviceChange) => void = () => {},
    patience: Patience = usualPatience,
  ): Promise<Dealer> {
    const dealer = new Dealer(onChange, patience);
    try {
      await Promise.all(candidates.map((candidate) => dealer.#open(candidate)));
      return dealer;
    } catch (error) {
      await dealer.close();
      throw error;
    }
  }

  /** Devices in use. */
  get devices(): readonly TowerDevice[] {
    return [...this.#members].map(({ device }) => device);
  }

  /** @throws LincirError 'device' when no device is left, with what became of each */
  async compute<Result>(work: Work<Result>): Promise<Result> {
    const settle = Promise.withResolvers<unknown>();
    this.#enqueue({ work, settle });
    this.#deal();
    return (await settle.promise) as Result;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#retries.values()) clearTimeout(timer);
    this.#awaiting?.resolve();
    await Promise.all(this.devices.map((device) => device.close()));
    this.#members.clear();
  }

  async #open(candidate: Candidate): Promise<void> {
    const device = await candidate.open();
    if (this.#closed) return await device.close();
    const capacity = batchesPerProcess * device.facts.processes;
    const member = { candidate, device, capacity, running: 0, longest: 0 };
    this.#members.add(member);
    void device.lost?.then((error) => this.#lose(member, error));
  }

  #enqueue(pending: Pending): void {
    const at = this.#queue.findIndex(({ work }) => work.weight < pending.work.weight);
    this.#queue.splice(at < 0 ? this.#queue.length : at, 0, pending);
  }

  #deal(): void {
    if (this.#members.size === 0 && !this.#awaiting) {
      const error = this.#noneLeft();
      for (const { settle } of this.#queue.splice(0)) settle.reject(error);
    }
    while (this.#queue.length > 0) {
      const free = [...this.#members].filter(({ running, capacity }) => running < capacity);
      const [least] = free.sort((a, b) => a.running / a.capacity - b.running / b.capacity);
      if (least === undefined) return;
      void this.#give(least, this.#queue.shift()!);
    }
  }

  async #give(member: Member, pending: Pending): Promise<void> {
    const { device } = member;
    const { work, settle } = pending;
    const { first, least } = this.#patience;
    const limit = member.longest === 0 ? first : Math.max(least, 10 * member.longest);
    const begin = performance.now();
    member.running += 1;
    try {
      this.traffic.sent += work.task.length;
      const answer = await within(limit, device.compute(work.task, work.mostBytes));
      this.traffic.received += answer.length;
      settle.resolve(await work.read(answer));
      member.longest = Math.max(member.longest, performance.now() - begin);
      this.#isGivenUp = false;
      this.#awaiting?.resolve();
    } catch (error) {
      this.#enqueue(pending);
      this.#lose(member, error);
    }
    member.running -= 1;
    this.#deal();
  }

  #lose(member: Member, error: unknown): void {
    if (!this.#members.delete(member) || this.#closed) return;
    const reason = this.#noted(member.candidate, error);
    this.#onChange({ device: member.candidate.name, state: 'lost', reason });
    this.#retryLater(member.candidate, this.#awaiting ? this.#patience.again : this.#patience.retry);
    void member.device.close();
    if (this.#members.size === 0 && !this.#awaiting && !this.#isGivenUp) void this.#await();
  }

  /** Keeps why a device is not there, and returns it. */
  #noted(candidate: Candidate, error: unknown): string {
    const reason = error instanceof Error ? error.message : String(error);
    const begin = `device ${candidate.name}`;
    this.#reasons.set(candidate, reason.startsWith(begin) ? reason : `${begin}: ${reason}`);
    return reason;
  }

  /** Waits for lost devices that may come back. A device that only says that it is back, and gives no result, is not. */
  async #await(): Promise<void> {
    const { wait, again } = this.#patience;
    const awaited = [...this.#retries].filter(([{ isAwaited }]) => isAwaited);
    if (awaited.length === 0) return;
    this.#awaiting = Promise.withResolvers();
    for (const [candidate, timer] of awaited) {
      const reason = `no device is left; this one has ${formatDuration(wait / 1000)} to come back`;
      this.#onChange({ device: candidate.name, state: 'awaited', reason });
      if (timer === undefined) continue; // it is being tried
      clearTimeout(timer);
      this.#retryLater(candidate, again);
    }
    await within(wait, this.#awaiting.promise).catch(() => {
      this.#isGivenUp = true;
    });
    this.#awaiting = undefined;
    this.#deal();
  }

  #retryLater(candidate: Candidate, wait: number): void {
    const timer = setTimeout(async () => {
      this.#retries.set(candidate, undefined);
      try {
        await this.#open(candidate);
        this.#retries.delete(candidate);
        if (!this.#closed) this.#onChange({ device: candidate.name, state: 'back' });
        this.#deal();
      } catch (error) {
        this.#noted(candidate, error);
        const next = this.#awaiting ? this.#patience.again : Math.min(2 * wait, longestRetry);
        if (!this.#closed) this.#retryLater(candidate, next);
      }
    }, wait);
    this.#retries.set(candidate, timer.unref());
  }

  #noneLeft(): LincirError {
    const reasons = [...this.#reasons.values()].sort().join('; ');
    const since = this.#isGivenUp ? `, with no result in ${formatDuration(this.#patience.wait / 1000)}` : '';
    return new LincirError('device', {
      subject: 'devices',
      expected: 'at least one that computes',
      found: this.#closed ? 'that all are closed' : `that all are lost${since}: ${reasons}`,
    });
  }
}
