/** Names of servers and origins of sites, as settings have them. */

import { LincirError, option, quoted } from '../core/index.ts';
import type { ServerSettings } from './settings.ts';

/** A name or an address, and a port. */
export const authority = /^(\[[\da-f:.]+\]|[a-z\d](?:[\w.-]*[a-z\d])?)\.?(?::(\d{1,5}))?$/i;

export function checkedHost(host: string): string {
  if (authority.test(host)) return host.toLowerCase();
  throw new LincirError('bad-argument', {
    subject: option<ServerSettings>('allowedHosts'),
    expected: 'a name such as images.example.org, with or without a port',
    found: quoted(host),
  });
}

export function checkedOrigin(origin: string): string {
  if (/^https?:[^*]+$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin)
    return origin;
  throw new LincirError('bad-argument', {
    subject: option<ServerSettings>('allowedOrigins'),
    expected: 'an origin such as https://example.org, without a path',
    found: quoted(origin),
  });
}
