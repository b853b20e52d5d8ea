/** Turns LanceDB's failures into LincirErrors, because its messages are long and quote its own source code. */

import { call, type ErrorCode, LincirError, unquoted } from '../../core/index.ts';

/** Patterns in its messages, by cause. The first that matches counts. */
const causes: readonly {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly found: string;
  readonly todo: string | ((uri: string) => string);
}[] = [
  {
    pattern: /no space left|StorageFull|os error 28/i,
    code: 'io',
    found: 'a full disk',
    todo: 'free some space and run the command again: it continues with what is there',
  },
  {
    pattern: /too many open files|os error 24\b/i,
    code: 'io',
    found: 'too many open files',
    todo: 'allow more open files (ulimit -n), and run the command again',
  },
  {
    pattern: /permission denied|os error 13|AccessDenied|403 Forbidden|InvalidAccessKeyId|credential/i,
    code: 'io',
    found: 'that access is denied',
    todo: 'change its permissions, or the credentials in use',
  },
  {
    pattern: /NoSuchBucket|404 Not Found/i,
    code: 'not-found',
    found: 'no such bucket',
    todo: 'check the address, and create the bucket if it is missing',
  },
  {
    pattern: /RetryError|error sending request|connection (refused|reset)|timed? ?out/i,
    code: 'network',
    found: 'no answer from the object storage',
    todo: 'check the network, the address and the endpoint in use',
  },
  {
    pattern: /not found|NotFound|no such file/i,
    code: 'io',
    found: 'that a part of it is gone',
    todo: (uri) =>
      `another process may have rebuilt it: open it again; if that fails too, rebuild it with ${call('reindex', uri)}`,
  },
];

/** Turns an error from LanceDB into one about the index. Returns any LincirError as it is. */
export function engineError(error: unknown, uri: string, intent: 'read' | 'write'): unknown {
  if (error instanceof LincirError || !(error instanceof Error)) return error;
  const cause = causes.find(({ pattern }) => pattern.test(error.message));
  const { todo = 'run the command again: what was committed is kept' } = cause ?? {};
  return new LincirError(cause?.code ?? 'io', {
    subject: uri,
    expected: intent === 'read' ? 'an index that can be read' : 'an index that can be written',
    found: cause?.found ?? unquoted(plainMessage(error.message), 200),
    todo: typeof todo === 'string' ? todo : todo(uri),
    cause: error,
  });
}

/** Without the place in the backend's source, and without the causes on further lines. */
function plainMessage(message: string): string {
  return message
    .split('\n', 1)[0]!
    .replace(/,? ?\/?[\w./-]+\.rs:\d+:\d+.*$/, '')
    .trim();
}
