/** The server, as the page speaks to it: the API's own client, and failures as people read them. */

import {
  type CallOptions,
  createClient,
  type Fetch,
  LincirProblem,
  type Upload,
} from '../../src/api/client.ts';

const url = new URL('.', location.href).href;
const client = createClient({ url });

export const api = {
  ...client,
  thumbnail: client.thumbnailUrl,
  original: client.originalUrl,
  uploadThumbnail: client.uploadThumbnailUrl,
  upload: (
    index: string,
    file: File,
    onSent: (part: number) => void,
    options: CallOptions = {},
  ): Promise<Upload> =>
    createClient({ url, fetch: sending(onSent) }).upload(file, { index, name: file.name, ...options }),
};

/** `fetch` that tells how much is sent, which the browsers' own does not: XMLHttpRequest does. */
function sending(onSent: (part: number) => void): Fetch {
  return (address, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, address);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.responseType = 'arraybuffer';
      request.upload.onprogress = ({ loaded, total }) => onSent(total > 0 ? loaded / total : 0);
      request.onerror = () => reject(new TypeError('no answer'));
      request.onabort = () => reject(signal?.reason);
      signal?.addEventListener('abort', () => request.abort());
      request.onload = () => {
        const { status } = request;
        const answer = request.response as ArrayBuffer;
        resolve({
          ok: status >= 200 && status < 300,
          status,
          headers: { get: (name) => request.getResponseHeader(name) },
          json: async () => JSON.parse(new TextDecoder().decode(answer)) as unknown,
          arrayBuffer: async () => answer,
        });
      };
      request.send(body);
    });
}

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

function sentence(text: string): string {
  const trimmed = text.trim();
  const isNamed = /^[^:]+\.\w+:/.test(trimmed); // a file has its own letters
  const first = isNamed ? trimmed.charAt(0) : trimmed.charAt(0).toUpperCase();
  return `${first}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}
