/** Addresses of indexes in OpenSearch clusters, and the credentials that the environment has for them. */

import { readFile } from 'node:fs/promises';
import { LincirError, quoted } from '../../core/index.ts';
import { asLincirError } from '../../files/index.ts';

export interface ClusterAddress {
  /** Addresses of nodes, as URLs. */
  readonly nodes: readonly string[];
  /** The index's name, of characters that need no escape in a path. */
  readonly name: string;
}

/** How a client shows who it is, and checks who answers. */
export interface Credentials {
  readonly auth?: { readonly username: string; readonly password: string };
  readonly headers?: { readonly authorization: string };
  readonly ssl?: { readonly ca: string };
}

const defaultPort = 9200;
const form = 'opensearch://HOST:PORT,HOST:PORT/NAME, or opensearch+https://…';
/** A DNS name or an IP address, those of version 6 in brackets, and a port. */
const nodePattern = /^(?:[a-z\d](?:[a-z\d.-]*[a-z\d])?|\[[\da-f:.]+\])(?::(\d{1,5}))?$/i;
/** Stricter than OpenSearch, which also takes dots and letters beyond ASCII: parts of an index add dots. */
const namePattern = /^[a-z\d][a-z\d_-]{0,199}$/;

/** @throws LincirError 'bad-argument' for what is no such address. A password in it is not repeated. */
export function parseAddress(uri: string): ClusterAddress {
  const [, encrypted, authority = '', name = ''] =
    /^opensearch(\+https)?:\/\/([^/]*)\/?(.*)$/is.exec(uri) ?? [];
  const refuse = (expected: string, found: string, todo?: string) =>
    new LincirError('bad-argument', { subject: "the index's address", expected, found, todo });
  if (uri.includes('@')) {
    const todo = 'set LINCIR_OPENSEARCH_USER and LINCIR_OPENSEARCH_PASSWORD in the environment instead';
    throw refuse(form, 'a user or a password, or another @', todo);
  }
  const nodes = authority.split(',').map((node) => {
    const port = nodePattern.exec(node)?.[1] ?? (nodePattern.test(node) ? `${defaultPort}` : '0');
    if (Number(port) < 1 || Number(port) > 65_535) throw refuse(form, `the node ${quoted(node)}`);
    return `${encrypted ? 'https' : 'http'}://${node.replace(/(?<!\[[^\]]*):\d+$/, '')}:${Number(port)}`;
  });
  if (!namePattern.test(name)) {
    const expected =
      'a name of at most 200 small letters a to z, digits, - and _, which begins with a letter or digit';
    throw refuse(expected, quoted(name), `write the address as ${form}`);
  }
  return { nodes, name };
}

/**
 * Reads LINCIR_OPENSEARCH_USER and LINCIR_OPENSEARCH_PASSWORD, or LINCIR_OPENSEARCH_API_KEY, and LINCIR_OPENSEARCH_CA, a
 * file of the authority that vouches for the nodes.
 * @throws LincirError 'bad-argument' if they contradict each other or would be sent unencrypted
 */
export async function credentialsFor({ nodes }: ClusterAddress): Promise<Credentials> {
  const read = (name: string) => process.env[`LINCIR_OPENSEARCH_${name}`] || undefined;
  const [username, password, key, ca] = [read('USER'), read('PASSWORD'), read('API_KEY'), read('CA')];
  const refuse = (expected: string, found: string) =>
    new LincirError('bad-argument', { subject: 'the environment', expected, found });
  if ((username === undefined) !== (password === undefined)) {
    throw refuse('both LINCIR_OPENSEARCH_USER and LINCIR_OPENSEARCH_PASSWORD', 'one of them');
  }
  if (username !== undefined && key !== undefined) {
    throw refuse('LINCIR_OPENSEARCH_API_KEY or a user and a password', 'both');
  }
  const isSecret = username !== undefined || key !== undefined;
  if (isSecret && nodes.some((node) => !node.startsWith('https:'))) {
    const expected = 'an address opensearch+https://… with the credentials in LINCIR_OPENSEARCH_…';
    throw refuse(expected, 'opensearch://…, which would send them unencrypted');
  }
  const file = async (path: string) =>
    await readFile(path, 'utf8').catch((error: unknown) => {
      throw asLincirError(error, path, 'read');
    });
  return {
    ...(username !== undefined && { auth: { username, password: password! } }),
    ...(key !== undefined && { headers: { authorization: `ApiKey ${key}` } }),
    ...(ca !== undefined && { ssl: { ca: await file(ca) } }),
  };
}
