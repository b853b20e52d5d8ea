/** The other side of a `Thread`: takes questions in their order, some at once. */

import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { FromThread, ToThread } from './thread.ts';
import { sentError } from './thread-errors.ts';

interface ThreadWork<Question, Answer> {
  /** Questions in work at once. */
  readonly atOnce: number;
  /** Answers, and names the memory that goes with the answer. */
  readonly answer: (
    question: Question,
  ) => Promise<{ readonly answer: Answer; readonly moved?: readonly ArrayBuffer[] }>;
  /** Frees everything. */
  readonly dispose: () => Promise<void>;
}

/** Of the system's -20 to 19. The thread that listens has 0, and gets a core at once when it has something to do. */
const priority = 5;

/** Serves questions until it is told to close. Returns how to tell news. */
export function serveThread<Question, Answer, News = never>(
  work: ThreadWork<Question, Answer>,
): (news: News) => void {
  const port = parentPort!;
  // Linux takes it for this thread and those that it starts. Elsewhere it would mean the whole process.
  if (process.platform === 'linux') setPriority(priority);
  const post = (message: FromThread<Answer, News>, moved: readonly ArrayBuffer[] = []) =>
    port.postMessage(message, [...moved]);
  const lanes = Array.from({ length: work.atOnce }, () => Promise.resolve());
  let received = 0;
  port.on('message', (message: ToThread<Question>) => {
    if (message === 'close') {
      void Promise.all(lanes)
        .then(work.dispose)
        .finally(() => port.close());
      return;
    }
    const { number, question } = message;
    const lane = received % lanes.length;
    received += 1;
    lanes[lane] = lanes[lane]!.then(async () => {
      try {
        const { answer, moved } = await work.answer(question);
        post({ number, answer }, moved);
      } catch (error) {
        post({ number, failed: sentError(error) });
      }
    });
  });
  return (news) => post({ news });
}
