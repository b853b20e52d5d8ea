/** One transfer over HTTP, which ends when its connection falls silent; what may pass is told from what does not. */

/** A failure that may pass. Whoever transfers tries again, or makes an error of it. */
export class Interruption extends Error {
  /** Milliseconds that the server asked to wait. */
  readonly wait: number;

  constructor(reason: string, options: { cause?: unknown; wait?: number } = {}) {
    super(reason, { cause: options.cause });
    this.wait = options.wait ?? 0;
  }
}

/** Limit of a server's `Retry-After`, in milliseconds. */
const longestWait = 60_000;

/**
 * Sends a request and reads its answer, chunk by chunk.
 * @param silence milliseconds without a byte after which a connection counts as broken
 * @param send calls `alive` for what it has sent, if that may take long
 * @throws Interruption for a broken connection, the signal's reason, and what `read` throws
 */
export async function transfer<Result>(
  { silence, signal }: { readonly silence: number; readonly signal: AbortSignal | undefined },
  send: (signal: AbortSignal, alive: () => void) => Promise<Response>,
  read: (response: Response, chunks: AsyncIterable<Uint8Array>) => Promise<Result>,
): Promise<Result> {
  const broken = new AbortController();
  const listen = () => setTimeout(() => broken.abort(), silence);
  let timer = listen();
  const alive = () => {
    clearTimeout(timer);
    timer = listen();
  };
  const interruption = (error: unknown) => {
    signal?.throwIfAborted();
    const reason = broken.signal.aborted ? `no data for ${silence / 1000} s` : innermostMessage(error);
    return new Interruption(reason, { cause: error });
  };
  async function* chunksOf(response: Response) {
    const reader = response.body?.getReader(); // not every browser iterates over streams
    try {
      for (;;) {
        const chunk = await reader?.read();
        if (chunk === undefined || chunk.done) return;
        alive();
        yield chunk.value;
      }
    } catch (error) {
      throw interruption(error);
    }
  }
  try {
    const either = AbortSignal.any([broken.signal, ...(signal ? [signal] : [])]);
    const response = await send(either, alive).catch((error: unknown) => {
      throw interruption(error);
    });
    return await read(response, chunksOf(response));
  } finally {
    clearTimeout(timer);
    broken.abort();
  }
}

/** Milliseconds that a refusal asks to wait. */
export function waitAskedBy({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after') ?? 0);
  return Number.isFinite(seconds) ? Math.min(seconds * 1000, longestWait) : 0;
}

/** The error that fetch wraps: the socket's error says more than "fetch failed". */
function innermostMessage(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause !== undefined) innermost = innermost.cause;
  if (!(innermost instanceof Error)) return String(innermost);
  return innermost.message || ('code' in innermost ? String(innermost.code) : innermost.name);
}
