/** Failures of the back end as people read them, and where on the page they belong. */

import { LincirProblem } from '../../src/api/client.ts';

/** Where on the page a failure is shown. */
type Field = 'words' | 'without' | 'filter' | 'page';

export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly todo?: string | undefined;
  /** Seconds after which it may go well. */
  readonly retryAfter?: number | undefined;
  readonly field: Field;
}

export function asFailure(error: unknown): Failure {
  if (!(error instanceof LincirProblem))
    return {
      status: 0,
      code: 'unknown',
      detail: error instanceof Error ? error.message : `${error}`,
      field: 'page',
    };
  const { status, code, message, subject = '', todo, retryAfter } = error;
  const isAway = status === 0 || status === 502 || status === 504;
  return {
    status,
    code,
    detail: sentence(isAway ? 'The server does not answer.' : message),
    todo: isAway
      ? 'Look whether it still runs. The page tries again by itself.'
      : todo && !message.includes(todo)
        ? sentence(todo)
        : undefined,
    retryAfter: retryAfter ?? (isAway || status === 429 || status === 503 ? 1 : undefined),
    field: fieldOf(subject),
  };
}

/** Errors say first what is at fault. */
function fieldOf(subject: string): Field {
  if (/filter|where/i.test(subject)) return 'filter';
  if (/without/i.test(subject)) return 'without';
  if (/\btext\b|prompt|words/i.test(subject)) return 'words';
  return 'page';
}

export function sentence(text: string): string {
  const trimmed = text.trim();
  const isNamed = /^[^:]+\.\w+:|^\S*[^\p{L}\s’'-]\S*\s/u.test(trimmed); // a file, a folder or a model has its own letters
  const first = isNamed ? trimmed.charAt(0) : trimmed.charAt(0).toUpperCase();
  return `${first}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}
