/** Refuses to listen where strangers are, unless whoever starts the server has thought of it. */

import { isIP } from 'node:net';
import { LincirError, option } from '../core/index.ts';
import { checkedHost, checkedOrigin } from './names.ts';
import type { ServerSettings } from './settings.ts';

/**
 * @throws LincirError 'bad-argument' if it listens beyond loopback without keys, or without a name, or lets strangers index there;
 *   if it has keys and would answer clients of clip-retrieval, who have none; or if names and origins are none
 */
export function expectGuarded(settings: ServerSettings): void {
  const { host, keys, withoutKey, allowedHosts, allowedOrigins, knnService, indexing } = settings;
  allowedHosts.forEach(checkedHost);
  allowedOrigins.forEach(checkedOrigin);
  if (knnService === true && keys.length > 0) {
    throw new LincirError('bad-argument', {
      subject: option<ServerSettings>('knnService'),
      expected: "a secret part of its address, for clip-retrieval's clients send no key",
      found: 'none',
      todo: `give ${option<ServerSettings>('knnService', 'FILE')}, a file with such a secret`,
    });
  }
  if (isLoopback(host)) return;
  if (keys.length === 0 && !withoutKey) {
    throw new LincirError('bad-argument', {
      subject: option<ServerSettings>('host', host),
      expected: 'keys, for whoever reaches this address could use the server',
      found: 'none',
      todo: `give ${option<ServerSettings>('keys')}, or ${option<ServerSettings>('withoutKey')} if the network is guarded`,
    });
  }
  if (keys.length === 0 && indexing) {
    throw new LincirError('bad-argument', {
      subject: option<ServerSettings>('indexing'),
      expected: 'keys, for whoever reaches this address could change the indexes',
      found: 'none',
      todo: `give ${option<ServerSettings>('keys')}`,
    });
  }
  if (allowedHosts.length === 0) {
    throw new LincirError('bad-argument', {
      subject: option<ServerSettings>('host', host),
      expected: 'the name or address that clients use',
      found: 'none',
      todo: `give ${option<ServerSettings>('allowedHosts')}, such as images.example.org`,
    });
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
