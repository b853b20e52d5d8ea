/** Headers that tell browsers to trust as little as possible. */

import type { MiddlewareHandler } from 'hono';

/** For what is not a page: it can load nothing, and no page can frame it. */
const closed = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** For our own pages, whose scripts and styles are files. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const always: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};
/** Unless a route has said otherwise. */
const usual: Readonly<Record<string, string>> = {
  'content-security-policy': closed,
  'cross-origin-resource-policy': 'same-origin',
  // Answers are one client's.
  'cache-control': 'no-store',
};

export const careful: MiddlewareHandler = async (context, next) => {
  await next();
  const { headers } = context.res;
  for (const [name, value] of Object.entries(always)) headers.set(name, value);
  for (const [name, value] of Object.entries(usual)) if (!headers.has(name)) headers.set(name, value);
};
