/** Errors between threads, which would lose their class and their parts on the way. */

import { type ErrorCode, LincirError, type Problem } from '../core/index.ts';

/** An error that can be sent. */
export type SentError =
  | { readonly code: ErrorCode; readonly problem: Omit<Problem, 'cause'> }
  | { readonly message: string; readonly stack: string | undefined };

export function sentError(error: unknown): SentError {
  if (error instanceof LincirError) {
    const { cause: _, ...problem } = error.problem;
    return { code: error.code, problem };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { message, stack };
}

export function receivedError(sent: SentError): Error {
  if ('code' in sent) return new LincirError(sent.code, sent.problem);
  return Object.assign(new Error(sent.message), sent.stack !== undefined && { stack: sent.stack });
}
