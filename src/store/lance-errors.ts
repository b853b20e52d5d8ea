/** LanceDB's failures as LincirErrors: its messages are long, and speak of its own source code. */

import { LincirError, quoted } from '../core/index.ts';

/** An error that LanceDB threw, as one about the index; any LincirError as it is. */
export function engineError(error: unknown, uri: string, intent: 'read' | 'write'): unknown {
  if (error instanceof LincirError || !(error instanceof Error)) return error;
  const isFull = /no space left|StorageFull|os error 28/i.test(error.message);
  const isDenied = /permission denied|os error 13|AccessDenied|403 Forbidden/i.test(error.message);
  const isLost = /not found|NotFound|no such file/i.test(error.message);
  const found = isFull
    ? 'a full disk'
    : isDenied
      ? 'that access is denied'
      : isLost
        ? 'that a part of it is gone'
        : quoted(plainMessage(error.message), 200);
  const todo = isFull
    ? 'free some space and run the command again: it goes on with what is there'
    : isDenied
      ? 'change its permissions, or the credentials in use'
      : isLost
        ? 'another process may have rebuilt it: open it again; if that fails too, rebuild it with lincir reindex'
        : 'run the command again: what was committed is kept';
  return new LincirError('io', {
    subject: uri,
    expected: intent === 'read' ? 'an index that can be read' : 'an index that can be written',
    found,
    todo,
    cause: error,
  });
}

/** Without the place in the engine's source, and without what it was caused by in further lines. */
function plainMessage(message: string): string {
  return message
    .split('\n', 1)[0]!
    .replace(/,? ?\/?[\w./-]+\.rs:\d+:\d+.*$/, '')
    .trim();
}
