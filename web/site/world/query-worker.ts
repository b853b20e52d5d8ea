/** The thread that answers questions begins here: downloads begin at once, and the code that answers comes beside them. */

import '../shell/no-eval.ts';
import { LincirError } from '../../../src/core/index.ts';
import { answer, tell } from './calls.ts';
import { downloadFirst } from './first-files.ts';
import type { QueryFunctions as Answering } from './query-functions.ts';

const answering = import('./query-functions.ts').then(
  ({ functions }) => functions,
  (cause: Error) => {
    throw new LincirError('network', {
      subject: 'a script of this page',
      expected: 'to come from its host',
      found: cause.message,
      todo: 'check the connection, and load the page again',
      cause,
    });
  },
);
answering.catch(() => {}); // told of by each call

const functions = {
  /** Tells of pictures and queries when they are known. */
  async open(data: string): Promise<void> {
    const folder = new URL(data);
    const files = downloadFirst(folder, (news) => tell(globalThis as never, news));
    await (await answering).open(folder, files);
  },
};
export type QueryFunctions = Omit<Answering, 'open'> & typeof functions;

answer(globalThis as never, functions, answering);
