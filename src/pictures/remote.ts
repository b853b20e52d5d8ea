/** Fetches an image from the web, and only from the public internet, because the URL may be a stranger's. */

import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup as askDns } from 'node:dns/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { type ErrorCode, formatBytes, formatDuration, LincirError, option, quoted } from '../core/index.ts';

export interface FetchImageOptions {
  /** Also allow loopback, private and other addresses outside the public internet. Default false. */
  readonly allowPrivate?: boolean;
  /** Default 64 MiB. */
  readonly maxBytes?: number;
  /** Milliseconds in all, redirects included. Default 30,000. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** @internal Tests replace DNS, and the division of the internet, by these. */
  readonly internet?: Partial<Internet>;
}

interface Internet {
  readonly addressesOf: (hostName: string, options: LookupOptions) => Promise<LookupAddress[]>;
  readonly isPublic: (address: string) => boolean;
}

const mostRedirects = 5;

/** Whether a text is a URL of the web rather than a path. */
export function isWebAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/**
 * The bytes behind a URL, undecoded. The address that is really connected to is checked, for the URL and for each of at
 * most 5 redirects. Proxies from the environment are not used, because they would look up addresses themselves.
 * @throws LincirError `bad-argument` for a URL that may not be fetched, `not-found`, `bad-file` if it is not an image
 * or too large, `network`; and the signal's reason.
 */
export async function fetchImage(
  url: string,
  options: FetchImageOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { allowPrivate = false, maxBytes = 64 * 2 ** 20, timeout = 30_000, signal } = options;
  const { addressesOf = everyAddress, isPublic = isPublicAddress } = options.internet ?? {};
  const isAllowed = (address: string) => allowPrivate || isPublic(address);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), Math.min(timeout, longestTimer));
  const anyStop = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
  let subject = shown(url);
  try {
    let at = checkedUrl(URL.parse(url), subject, 'bad-argument');
    for (let redirects = 0; ; redirects++) {
      const response = await get(
        at,
        guardedLookup(addressesOf, isAllowed, subject),
        isAllowed,
        subject,
        anyStop,
      );
      const next = redirectOf(response, at);
      if (next === undefined) return await pictureIn(response, subject, maxBytes);
      response.destroy();
      const from = at;
      subject = `${shown(url)}, redirected to ${shown(next ?? '')}`;
      at = checkedUrl(next, subject, 'network');
      if (from.protocol === 'https:' && at.protocol === 'http:') {
        throw new LincirError('network', {
          subject,
          expected: 'https throughout',
          found: 'a way on by http',
        });
      }
      if (redirects === mostRedirects) {
        const expected = `at most ${mostRedirects} redirects`;
        throw new LincirError('network', {
          subject,
          expected,
          found: 'more',
          todo: 'give the last URL itself',
        });
      }
    }
  } catch (error) {
    if (error instanceof LincirError) throw error;
    signal?.throwIfAborted();
    throw stop.signal.aborted ? tooSlow(subject, timeout, error) : broken(subject, error);
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/**
 * Whether an IP address, in any spelling, belongs to the public internet. It does not if it is private, local, reserved,
 * multicast, or an IPv6 form that carries an IPv4 address through a gateway (6to4, Teredo, NAT64).
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  // ipaddr.js calls everything unicast that no range claims. Only this block of IPv6 is assigned (RFC 4291, section 2.4).
  const isGivenOut = parsed.kind() === 'ipv4' || parsed.match(ipaddr.parseCIDR('2000::/3'));
  return parsed.range() === 'unicast' && isGivenOut;
}

/** Beyond this, setTimeout fires at once. */
const longestTimer = 2 ** 31 - 1;

const everyAddress: Internet['addressesOf'] = (hostName, options) =>
  askDns(hostName, { ...options, all: true });

/** Without the query, which may contain a key, and without a password. */
function shown(url: string | URL): string {
  const parsed = typeof url === 'string' ? URL.parse(url) : url;
  const text = parsed
    ? `${parsed.protocol}//${parsed.host}${parsed.pathname}`
    : String(url)
        .replace(/[?#].*/s, '')
        .replace(/\/\/.*@/s, '//');
  return quoted(text, 200);
}

function checkedUrl(url: URL | null, subject: string, code: ErrorCode): URL {
  const refused = (found: string, todo?: string) =>
    new LincirError(code, { subject, expected: 'a URL of the web', found, todo });
  if (!url) throw refused('one that cannot be read', 'check its spelling');
  if (!/^https?:$/.test(url.protocol)) {
    throw refused(`the scheme ${quoted(url.protocol)}`, 'use https or http');
  }
  if (url.username || url.password) {
    throw refused('a user name or a password', 'download the image yourself and give its path');
  }
  return url;
}

function refusedAddress(address: string, subject: string): LincirError {
  return new LincirError('bad-argument', {
    subject,
    expected: 'an address of the public internet',
    found: address,
    todo: `give ${option<FetchImageOptions>('allowPrivate')} if it is a server of your own`,
  });
}

/** The socket connects to this lookup's answer. A lookup beforehand could differ from the socket's own. */
function guardedLookup(
  addressesOf: Internet['addressesOf'],
  isAllowed: (address: string) => boolean,
  subject: string,
): LookupFunction {
  return (hostName, options, callback) => {
    const answer = (addresses: LookupAddress[]) => {
      const refused = addresses.find(({ address }) => !isAllowed(address));
      const [first] = addresses;
      if (refused) callback(refusedAddress(refused.address, subject), []);
      else if (!first) callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), []);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    };
    addressesOf(hostName, options).then(answer, (error) => callback(error, []));
  };
}

/** A separate agent: no connection stays open, and none made under other rules is shared. */
const connections = {
  keepAlive: false,
  /** Milliseconds for each of several addresses. Node's 250 are too few for another continent. */
  autoSelectFamilyAttemptTimeout: 2000,
} as const;

function get(
  url: URL,
  lookup: LookupFunction,
  isAllowed: (address: string) => boolean,
  subject: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && !isAllowed(host)) throw refusedAddress(host, subject); // needs no lookup
  const headers = { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': 'lincir' };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent =
    url.protocol === 'https:'
      ? secureRequest(url, { agent: new SecureAgent(connections), lookup, headers, signal })
      : request(url, { agent: new Agent(connections), lookup, headers, signal });
  sent.on('response', resolve);
  sent.on('error', reject);
  // An answer such as "101 Switching Protocols" ends the connection silently.
  sent.on('close', () => reject(new Error('no answer')));
  sent.end();
  return promise;
}

/** A response's redirect: undefined if it is none, null if it does not lead to a URL. */
function redirectOf({ statusCode, headers }: IncomingMessage, from: URL): URL | null | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode ?? 0)) return undefined;
  // Node reads headers as Latin-1; servers write UTF-8.
  const location = Buffer.from(headers.location ?? '', 'latin1').toString();
  return location === '' ? null : URL.parse(location, from.href);
}

async function pictureIn(
  response: IncomingMessage,
  subject: string,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { statusCode = 0, headers } = response;
  const refused = (code: ErrorCode, expected: string, found: string, todo?: string) =>
    new LincirError(code, { subject, expected, found, todo });
  if (statusCode !== 200) {
    const missing = statusCode === 404 || statusCode === 410;
    const expected = missing ? 'an image' : 'HTTP status 200';
    throw refused(missing ? 'not-found' : 'network', expected, `HTTP status ${statusCode}`, 'check the URL');
  }
  const type = headers['content-type']?.split(';')[0]?.trim() ?? '';
  if (!/^(image\/.*|(application|binary)\/octet-stream|)$/i.test(type)) {
    throw refused(
      'bad-file',
      'an image',
      `the content type ${quoted(type)}`,
      'give the URL of the image itself',
    );
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (!/^(identity|)$/i.test(encoding)) {
    throw refused('network', 'bytes as they are', `the content encoding ${quoted(encoding)}`);
  }
  const tooLarge = (bytes: string) => refused('bad-file', `at most ${formatBytes(maxBytes)}`, bytes);
  const announced = Number(headers['content-length'] ?? 0);
  if (announced > maxBytes) throw tooLarge(formatBytes(announced));

  // One growing buffer, because chunks of single bytes would take a hundred times their size.
  let bytes = new Uint8Array(Math.max(announced, 2 ** 16));
  let length = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    if (length + chunk.length > maxBytes) throw tooLarge('more');
    if (length + chunk.length > bytes.length) {
      const grown = new Uint8Array(Math.max(length + chunk.length, 2 * bytes.length));
      grown.set(bytes.subarray(0, length));
      bytes = grown;
    }
    bytes.set(chunk, length);
    length += chunk.length;
  }
  if (length === 0) throw refused('bad-file', 'an image', 'no bytes');
  return length === bytes.length ? bytes : bytes.slice(0, length);
}

function tooSlow(subject: string, timeout: number, cause: unknown): LincirError {
  const expected = `the whole image within ${formatDuration(timeout / 1000)}`;
  return new LincirError('network', {
    subject,
    expected,
    found: 'that it takes longer',
    todo: 'try again',
    cause,
  });
}

/** A failure of the socket, the certificate, DNS or the protocol. */
function broken(subject: string, cause: unknown): LincirError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const message = (cause instanceof Error && cause.message) || code || String(cause);
  const [found, todo = 'check the URL and the network'] = /CERT|VERIFY/.test(code)
    ? [`a certificate that cannot be trusted (${message})`, 'check the URL']
    : (failures[code] ?? [message]);
  return new LincirError('network', { subject, expected: 'to receive it', found, todo, cause });
}

const failures: Readonly<Record<string, readonly [found: string, todo?: string]>> = {
  ENOTFOUND: ['that no such host is known', 'check the spelling'],
  EAI_AGAIN: ['that the name server does not answer'],
  ECONNREFUSED: ['a refused connection'],
  ECONNRESET: ['that the connection was cut', 'try again'],
  ETIMEDOUT: ['that the host does not answer'],
  EHOSTUNREACH: ['that the host cannot be reached'],
  ENETUNREACH: ['that its network cannot be reached'],
};
