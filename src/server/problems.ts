/** Errors as HTTP tells them: problem documents (RFC 9457) with the parts of lincir's messages. */

import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Problem } from '../api/index.ts';
import { type ErrorCode, LincirError } from '../core/index.ts';
import type { ServerSettings } from './settings.ts';

/** What a status is called, and the code of errors that have no better one. */
export const problemKinds = {
  400: ['The request cannot be answered', 'bad-argument'],
  401: ['A key is needed', 'unauthorized'],
  403: ['The request is not allowed', 'forbidden'],
  404: ['Not found', 'not-found'],
  405: ['The method is not allowed', 'method-not-allowed'],
  409: ['It is not the time for this', 'conflict'],
  413: ['The request is too large', 'too-large'],
  415: ['The content type is not supported', 'unsupported-media-type'],
  422: ['An image cannot be used', 'bad-file'],
  429: ['Too many requests', 'too-many-requests'],
  500: ['The server failed', 'internal'],
  503: ['The server is busy', 'busy'],
} as const;

export type ProblemStatus = keyof typeof problemKinds;

type ProblemParts = Pick<Problem, 'subject' | 'expected' | 'found' | 'todo'>;

/** A problem as a response. Without `expected`, its sentence is the title. */
export function problemResponse(
  status: ProblemStatus,
  parts: ProblemParts & { readonly code?: string; readonly detail?: string } = {},
  headers: Readonly<Record<string, string>> = {},
): Response {
  const [title, code] = problemKinds[status];
  const { subject, expected, found, todo } = parts;
  const sentence = [subject, expected && `expected ${expected}, found ${found}`].filter(Boolean).join(': ');
  const body: Problem = {
    type: `urn:lincir:${parts.code ?? code}`,
    title,
    status,
    detail: parts.detail ?? ([sentence, todo].filter(Boolean).join('; ') || title),
    code: parts.code ?? code,
    ...{ subject, expected, found, todo },
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
  });
}

/** A problem to throw, from anywhere below a route. */
export function refusal(...problem: Parameters<typeof problemResponse>): HTTPException {
  return new HTTPException(problem[0], { res: problemResponse(...problem) });
}

/** Errors that are the client's to mend. What the others say is about the server: its files, its models, its machine. */
const statuses: Partial<Record<ErrorCode, ProblemStatus>> = {
  'bad-argument': 400,
  'not-found': 404,
  'bad-file': 422,
  network: 422,
  busy: 503,
};

/** Whether an error is for the client to read. */
export const isForClient = (error: unknown): error is LincirError =>
  error instanceof LincirError && statuses[error.code] !== undefined;

/** Turns whatever a route threw into a response. */
export function answerError(error: unknown, context: Context, { onError }: ServerSettings): Response {
  if (error instanceof HTTPException) return error.getResponse();
  if (error instanceof LincirError) {
    const status = statuses[error.code];
    if (status !== undefined) {
      const { subject, expected, found, todo, retryAfter } = error.problem;
      const headers = status === 503 ? { 'retry-after': String(Math.ceil(retryAfter ?? 1)) } : undefined;
      const { code, message: detail } = error;
      return problemResponse(status, { code, detail, subject, expected, found, todo }, headers);
    }
  }
  // Nobody reads this answer.
  if (context.req.raw.signal.aborted) return new Response(null, { status: 499 });
  const id = randomUUID();
  onError(`error ${id}: ${inspect(error)}`);
  return problemResponse(500, {
    detail: `The server failed. Its log has more about error ${id}`,
    todo: "look for this id in the server's log",
  });
}
