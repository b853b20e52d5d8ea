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
    failure !== undefined && `The GPU failed${shortly(failure)}.`,
    threads > 1
      ? `It computes on the processor, with ${threads} threads.`
      : `It computes on the processor, with one thread only. ${why ?? ''}`,
  ]
    .filter(Boolean)
    .join(' ');
}

export function jobText({ stage, found, others, done, todo, rate, added, removed, broken }: Job): string {
  if (stage === 'looking') {
    const beside = others > 0 ? ` among ${number(found + others)} files` : '';
    return `Looking for pictures… ${number(found)} so far${beside}`;
  }
  if (stage === 'indexing' || stage === 'paused') {
    const speed =
      rate > 0 ? ` · ${rate.toFixed(rate < 10 ? 1 : 0)} a second · ${timeLeft((todo - done) / rate)}` : '';
    const progress = `${number(done)} of ${count(todo, 'picture')}`;
    return stage === 'paused' ? `Paused at ${progress}` : `Indexing ${progress}${speed}`;
  }
  if (stage === 'failed') return 'Indexing has stopped. What was indexed stays.';
  if (found === 0 && others > 0) return `There is no picture among ${count(others, 'file')}.`;
  if (found === 0 && removed === 0) return 'There is no picture.';
  const changes = [
    added > 0 && `${number(added)} added`,
    removed > 0 && `${number(removed)} gone`,
    broken > 0 && `${number(broken)} could not be decoded`,
  ].filter(Boolean);
  return changes.length > 0 ? changes.join(', ') : 'Up to date';
}

/** A reason that a person may read. Others are of drivers. */
function shortly(failure: string): string {
  return failure.length > 80 || failure.includes('ERROR') ? '' : `: ${failure.replace(/\.(?=\)?$)/, '')}`;
}

/** What a person may do something about, once a job is done. */
export function awayText({ away }: Job): string {
  const [are, they] = away === 1 ? ['is', 'It stays'] : ['are', 'They stay'];
  return `${count(away, 'picture')} of your folders ${are} not there. ${they} in the index, as a disk may be missing.`;
}

export function unreadText({ unread, unreadReason }: Job): string {
  return `${count(unread, 'picture')} could not be read now: ${unreadReason.replace(/\.$/, '')}.`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}

export function timeLeft(seconds: number): string {
  if (seconds < 60) return 'less than a minute left';
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${count(minutes, 'minute')} left`;
  return `${count(Math.round(minutes / 60), 'hour')} left`;
}
