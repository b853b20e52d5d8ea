/** Keeps the pages of other sites away. A browser sends their requests to any server that it reaches, this one too. */

import type { Context, MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { quoted } from '../core/index.ts';
import { authority, checkedHost, checkedOrigin } from './names.ts';
import { problemResponse } from './problems.ts';
import type { ServerSettings } from './settings.ts';

/** With any port: tunnels and containers have others. A page of another port has another origin, which is checked. */
const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Refuses names that are not the server's: a site whose name an attacker turns to this machine (DNS rebinding) has its own
 * name in `Host`. Refuses other origins than its own and the allowed ones.
 * @throws LincirError 'bad-argument' for settings that are neither names nor origins
 */
export function guard(settings: ServerSettings): MiddlewareHandler {
  const hosts = new Set([...loopbackNames, ...settings.allowedHosts.map(checkedHost)]);
  const origins = new Set(settings.allowedOrigins.map(checkedOrigin));
  return async (context, next) => {
    const host = context.req.header('host')?.toLowerCase() ?? '';
    const [, name, port] = authority.exec(host) ?? [];
    if (name === undefined || !(hosts.has(name) || hosts.has(`${name}:${port}`))) {
      return forbidden('host', 'a name of this server', host, 'allowed hosts');
    }
    const origin = context.req.header('origin');
    if (origin !== undefined) {
      if (origin === `http://${host}` || origin === `https://${host}` || origins.has(origin)) return next();
      return forbidden('origin', `http://${host}`, origin, 'allowed origins');
    }
    // Requests without an origin come from programs, or from pages that only show what they get.
    const site = context.req.header('sec-fetch-site') ?? 'none';
    if (site === 'same-origin' || site === 'none' || isVisit(context)) return next();
    if (!isPictureOf(context, origins)) {
      return forbidden('sec-fetch-site', 'same-origin', site, 'allowed origins');
    }
    await next();
    context.header('cross-origin-resource-policy', 'cross-origin');
  };
}

/** Lets the pages of allowed origins read answers. */
export function sharing({ allowedOrigins }: ServerSettings): MiddlewareHandler {
  return cors({
    origin: (origin) => (allowedOrigins.includes(origin) ? origin : null),
    allowMethods: ['GET', 'POST', 'DELETE'],
    exposeHeaders: ['retry-after', 'mcp-session-id'],
    maxAge: 600,
  });
}

/** Whether somebody has followed a link to here. */
function isVisit({ req }: Context): boolean {
  const isRead = req.method === 'GET' || req.method === 'HEAD';
  return isRead && req.header('sec-fetch-mode') === 'navigate' && req.header('sec-fetch-dest') === 'document';
}

/** Whether a page of an allowed origin shows a picture. Browsers tell its origin in the referrer only. */
function isPictureOf({ req }: Context, origins: ReadonlySet<string>): boolean {
  const referrer = req.header('referer') ?? '';
  return (
    req.method === 'GET' &&
    req.header('sec-fetch-dest') === 'image' &&
    URL.canParse(referrer) &&
    origins.has(new URL(referrer).origin)
  );
}

function forbidden(subject: string, expected: string, found: string, list: string): Response {
  const todo = `whoever runs the server can add it to the ${list}`;
  return problemResponse(403, { subject, expected, found: found === '' ? 'none' : quoted(found), todo });
}
