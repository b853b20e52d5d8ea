/** How far many workers are with an index, from the records of their sources. */

import type { SourceRecord } from '../../store/index.ts';

export interface ShardStatus {
  readonly sources: {
    readonly done: number;
    readonly running: number;
    /** Running ones whose worker has ended, or has not been heard of for minutes. */
    readonly silent: number;
    readonly waiting: number;
    readonly failed: number;
  };
  /** Images and broken images in all sources, as far as they are gone through. */
  readonly images: number;
  readonly broken: number;
  /** Over the last ten minutes of work. Absent if nothing is done yet. */
  readonly imagesPerSecond?: number;
  /** Until nothing waits or runs. Absent if that cannot be told. */
  readonly secondsLeft?: number;
  readonly failures: readonly SourceRecord[];
  readonly silent: readonly SourceRecord[];
}

/** A worker writes a record every 15 s, unless one batch of images or one commit takes longer. */
const silence = 5 * 60_000;
const lookback = 10 * 60_000;
const partOfFolder = /^(.*) \(part \d+\/(\d+)\)$/s;

/** The path or address of a record's source, without the part. */
export function pathOfSource({ source }: SourceRecord): string {
  return partOfFolder.exec(source)?.[1] ?? source;
}

/** Whether a worker has been heard of lately. */
export function isActive({ state, updated }: SourceRecord, now = Date.now()): boolean {
  return state === 'running' && now - updated < silence;
}

/** @param ended records of workers that are known to have ended */
export function shardStatus(
  all: readonly SourceRecord[],
  now = Date.now(),
  ended: ReadonlySet<SourceRecord> = new Set(),
): ShardStatus {
  const records = current(all);
  const of = (state: SourceRecord['state']) => records.filter((record) => record.state === state);
  const [running, done, waiting, failures] = [of('running'), of('done'), of('waiting'), of('failed')];
  const silent = running.filter((record) => ended.has(record) || !isActive(record, now));
  const imagesPerSecond = rateOf(records.filter(({ images }) => images > 0));
  const perSource = imagesIn(done) / done.length;
  const left = [...waiting, ...running].reduce((sum, { images }) => sum + Math.max(0, perSource - images), 0);
  const secondsLeft = imagesPerSecond && done.length > 0 ? left / imagesPerSecond : undefined;
  return {
    sources: {
      ...{ done: done.length, running: running.length - silent.length, silent: silent.length },
      ...{ waiting: waiting.length, failed: failures.length },
    },
    images: imagesIn(records),
    broken: records.reduce((sum, { broken }) => sum + broken, 0),
    ...(imagesPerSecond !== undefined && { imagesPerSecond }),
    ...(secondsLeft !== undefined && { secondsLeft }),
    ...{ failures, silent },
  };
}

/** Without a folder's parts of an earlier division among another number of workers. */
export function current(records: readonly SourceRecord[]): SourceRecord[] {
  const divisions = new Map<string, { readonly count: string; readonly updated: number }>();
  for (const { source, updated } of records) {
    const [, folder, count] = partOfFolder.exec(source) ?? [];
    if (folder === undefined || count === undefined) continue;
    if (updated > (divisions.get(folder)?.updated ?? -1)) divisions.set(folder, { count, updated });
  }
  return records.filter(({ source }) => {
    const [, folder = '', count] = partOfFolder.exec(source) ?? [];
    return count === undefined || divisions.get(folder)?.count === count;
  });
}

/** In how many shares folders were divided, each number once. */
export function divisionsOf(records: readonly SourceRecord[]): number[] {
  const counts = records.flatMap(({ source }) => partOfFolder.exec(source)?.[2] ?? []);
  return [...new Set(counts)].map(Number).sort((a, b) => a - b);
}

/** Images in a second of the last minutes of work; each source's count as spread evenly over its time. */
function rateOf(records: readonly SourceRecord[]): number | undefined {
  if (records.length === 0) return undefined;
  const end = records.reduce((latest, { updated }) => Math.max(latest, updated), 0);
  const first = records.reduce((earliest, { began }) => Math.min(earliest, began), end);
  const begin = Math.max(end - lookback, first);
  const images = records.reduce((sum, { images: count, began, updated }) => {
    const part = (updated - Math.max(began, begin)) / Math.max(1, updated - began);
    return sum + count * Math.max(0, part);
  }, 0);
  return end > begin ? (images / (end - begin)) * 1000 : undefined;
}

function imagesIn(records: readonly SourceRecord[]): number {
  return records.reduce((sum, { images }) => sum + images, 0);
}
