/** What the page says of its worker's state. */

import { bytes, count } from '../../../src/display.ts';
import { threadsHere } from '../../shell/offline.ts';
import type { Job } from '../engine/indexing.ts';
import type { DeviceFacts, Loading } from '../engine/state.ts';

export function loadingText({ stage, received = 0, total = 0 }: Loading): string {
  if (stage === 'downloading' && total > 0) return `${bytes(received)} of ${bytes(total)}`;
  if (stage === 'downloading') return 'Asking the model’s host…';
  if (stage === 'loading') return 'Preparing it…';
  return stage === 'paused' ? 'Paused' : '';
}

export function deviceText(device: DeviceFacts): string {
  if (device.kind === 'gpu') return `It computes on the GPU (${device.name}).`;
  const { threads, failure } = device;
  const { why } = threadsHere();
  return [
    failure && `The GPU failed: ${failure}.`,
    threads > 1
      ? `It computes on the processor, with ${threads} threads.`
      : `It computes on the processor, with one thread only. ${why ?? ''}`,
  ]
    .filter(Boolean)
    .join(' ');
}

export function jobText({ stage, found, done, todo, rate, added, removed, broken }: Job): string {
  if (stage === 'looking') return `Looking for pictures… ${found.toLocaleString('en')} so far`;
  if (stage === 'indexing' || stage === 'paused') {
    const speed =
      rate > 0 ? ` · ${rate.toFixed(rate < 10 ? 1 : 0)} a second · ${timeLeft((todo - done) / rate)}` : '';
    const progress = `${done.toLocaleString('en')} of ${count(todo, 'picture')}`;
    return stage === 'paused' ? `Paused at ${progress}` : `Indexing ${progress}${speed}`;
  }
  const changes = [
    added > 0 && `${added.toLocaleString('en')} added`,
    removed > 0 && `${removed.toLocaleString('en')} gone`,
    broken > 0 && `${broken.toLocaleString('en')} could not be decoded`,
  ].filter(Boolean);
  return stage === 'failed' ? 'Indexing has stopped' : changes.length > 0 ? changes.join(', ') : 'Up to date';
}

export function timeLeft(seconds: number): string {
  if (seconds < 60) return 'less than a minute left';
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${count(minutes, 'minute')} left`;
  return `${count(Math.round(minutes / 60), 'hour')} left`;
}
