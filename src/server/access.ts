/** Who may ask: clients with a key, and pages that have signed in with one. */

import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { problemResponse } from './problems.ts';
import type { ServerSettings } from './settings.ts';

/** Seconds after which a page asks for the key again. */
const sessionSeconds = 12 * 60 * 60;

export interface Access {
  /** Whether a request comes with a key or from a session, or the server has no keys. */
  allows(context: Context): boolean;
  /** Refuses requests without a key or a session. */
  readonly required: MiddlewareHandler;
  /** Signs pages in and out. A page needs a cookie, since pictures are loaded without headers. */
  readonly sessions: Hono;
}

export function accessFor({ keys }: ServerSettings): Access {
  const known = keys.map(digest);

  /** The digest of the key that a request has, if it is one of the server's. */
  const keyOf = (context: Context): Buffer | undefined => {
    const [, key] = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '') ?? [];
    if (key === undefined) return undefined;
    const given = digest(key);
    // All are compared, so that time tells nothing.
    return known.filter((one) => timingSafeEqual(one, given))[0];
  };
  const hasSession = (context: Context): boolean => {
    const [, end, signature] = /^(\d+)\.([\w-]+)$/.exec(getCookie(context, cookieName(context)) ?? '') ?? [];
    if (end === undefined || Number(end) < Date.now()) return false;
    // Another port of this machine is the same site to a browser, and gets the cookie.
    if (!['same-origin', 'none', undefined].includes(context.req.header('sec-fetch-site'))) return false;
    const own = digest(signature!);
    return known.filter((key) => timingSafeEqual(own, digest(signed(end, key)))).length > 0;
  };

  const allows = (context: Context): boolean =>
    known.length === 0 || keyOf(context) !== undefined || hasSession(context);

  return {
    allows,
    required: async (context, next) => (allows(context) ? next() : unauthorized(context)),
    sessions: new Hono()
      .post('/', (context) => {
        if (known.length > 0) {
          const key = keyOf(context);
          if (key === undefined) return unauthorized(context);
          const end = String(Date.now() + sessionSeconds * 1000);
          setCookie(context, cookieName(context), `${end}.${signed(end, key)}`, {
            httpOnly: true,
            sameSite: 'Strict',
            path: '/',
            maxAge: sessionSeconds,
            secure: context.req.header('origin')?.startsWith('https:') ?? false,
          });
        }
        return context.body(null, 204);
      })
      .delete('/', (context) => {
        deleteCookie(context, cookieName(context), { path: '/' });
        return context.body(null, 204);
      }),
  };
}

/**
 * A session is its end, signed with the key that began it. So every server that has the key knows it, and it ends with the
 * key.
 */
function signed(end: string, key: Buffer): string {
  return createHmac('sha256', key).update(`session until ${end}`).digest('base64url');
}

/** Cookies belong to all ports of a host. */
function cookieName({ req }: Context): string {
  return `lincir-session-${/:(\d+)$/.exec(req.header('host') ?? '')?.[1] ?? 'default'}`;
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

function unauthorized({ req }: Context): Response {
  const found = req.header('authorization') === undefined ? 'none' : 'another one';
  const todo = 'send the header "Authorization: Bearer KEY"';
  return problemResponse(
    401,
    { subject: 'authorization', expected: 'a key of this server', found, todo },
    { 'www-authenticate': 'Bearer realm="lincir"' },
  );
}
