/** GET requests to the hub: turns a refusing status into an error, ends silent connections, and retries passing failures. */

import { LincirError } from '../core/index.ts';
import { Interruption, transfer, waitAskedBy } from '../files/portable.ts';

/** The hub, the token, and the patience. */
export interface Connection {
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Failures in a row, without a byte in between, before it gives up. */
  readonly attempts: number;
  /** Milliseconds before the second attempt. Doubles with every further one. */
  readonly backoff: number;
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly silence: number;
  /** How it is asked, where that is not the platform's default. */
  readonly manner?: Pick<RequestInit, 'cache' | 'credentials' | 'referrerPolicy'>;
  /** What helps where the defaults of a command line do not. */
  readonly advice?: {
    readonly unreachable: string;
    readonly refused: string;
    readonly unknown: string;
  };
}

/** Waits 7.5 s in all for a hub that cannot be reached. */
export const defaultPatience = { attempts: 5, backoff: 500, silence: 30_000 } as const;

/**
 * Repeats `attempt` until no Interruption ends it. `advanced` resets the count of failures.
 * Throws `network` when the attempts are used up, and the signal's reason.
 */
export async function persistently<Result>(
  connection: Connection,
  subject: string,
  attempt: (advanced: () => void) => Promise<Result>,
  task = 'to receive it from',
): Promise<Result> {
  let failures = 0;
  for (;;) {
    try {
      return await attempt(() => {
        failures = 0;
      });
    } catch (error) {
      if (!(error instanceof Interruption)) throw error;
      failures++;
      if (failures >= connection.attempts) {
        throw new LincirError('network', {
          subject,
          expected: `${task} ${connection.endpoint}`,
          found: `${error.message} (${failures} times)`,
          todo:
            connection.advice?.unreachable ??
            'check the network and run this again: it resumes with all that is there already',
          cause: error,
        });
      }
      const wait = Math.max(error.wait, connection.backoff * 2 ** (failures - 1));
      const { signal } = connection;
      await pause(wait, signal);
      signal?.throwIfAborted();
    }
  }
}

/**
 * One GET of a path on the hub. `read` gets the response and its body, chunk by chunk. Only the hub gets the token: fetch
 * drops it when a redirect leads to another origin. Throws Interruption, `network` or `not-found`.
 */
export async function get<Result>(
  connection: Connection,
  subject: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  read: (response: Response, body: AsyncIterable<Uint8Array>) => Promise<Result>,
): Promise<Result> {
  const { endpoint, token } = connection;
  const send = (signal: AbortSignal) =>
    fetch(`${endpoint}${path}`, {
      ...connection.manner,
      // Identity, because the server's lengths and ranges must be the file's.
      headers: {
        ...headers,
        'accept-encoding': 'identity',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      signal,
    });
  return await transfer(connection, send, async (response, chunks) => {
    // `read` handles 416: its range does not exist.
    if (!response.ok && response.status !== 416) throw refusal(response, subject, connection);
    return await read(response, chunks);
  });
}

/** A failure that may pass, if the status says so. */
export function interruptionIn(response: Response): Interruption | undefined {
  const { status } = response;
  if (status !== 408 && status !== 429 && status < 500) return undefined;
  return new Interruption(`HTTP status ${status}`, { wait: waitAskedBy(response) });
}

function refusal(response: Response, subject: string, connection: Connection): Error {
  const { status, headers } = response;
  const interruption = interruptionIn(response);
  if (interruption) return interruption;
  const reason = headers.get('x-error-code') ?? '';
  const found = `HTTP status ${status}${/^\w+$/.test(reason) ? ` ${reason}` : ''}`;
  const token = connection.token === undefined ? 'set HF_TOKEN' : 'check that the token in use is valid';
  if (reason === 'GatedRepo' || status === 403) {
    return new LincirError('network', {
      subject,
      expected: 'permission to read it',
      found,
      todo: connection.advice?.refused ?? `accept its terms on ${connection.endpoint} and ${token}`,
    });
  }
  if (status === 401 || status === 404) {
    // The hub answers 401 for what does not exist, to hide which private repositories do.
    return new LincirError('not-found', {
      subject,
      expected: `it on ${connection.endpoint}`,
      found,
      todo: connection.advice?.unknown ?? `check the name; if it is private, ${token}`,
    });
  }
  return new LincirError('network', { subject, expected: 'HTTP status 200', found });
}

/** Resolves after milliseconds, or when the signal aborts. */
function pause(wait: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, wait);
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
  });
}
