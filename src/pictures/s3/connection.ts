/** Requests to object storage that speaks S3: signed, repeated when a failure may pass, and resumed where they were cut. */

import { setTimeout as pause } from 'node:timers/promises';
import type { AwsClient } from 'aws4fetch';
import { LincirError, quoted } from '../../core/index.ts';
import { Interruption, transfer, waitAskedBy } from '../../files/index.ts';
import { refusalOf } from './refusals.ts';

/** An object, or what is below a prefix: `s3://BUCKET/KEY`. */
export interface S3Address {
  readonly bucket: string;
  readonly key: string;
}

interface Settings {
  /** Undefined: AWS. */
  readonly endpoint: string | undefined;
  readonly region: string;
  /** Undefined: requests are not signed, as public buckets allow. */
  readonly client: AwsClient | undefined;
}

/** Failures in a row, without a byte in between, before it gives up; waits 12 s in all. */
const attempts = 7;
/** Milliseconds before the second attempt. Doubles with every further one; a part is random, since workers fail together. */
const backoff = 200;
/** Milliseconds without a byte after which a connection counts as broken. */
const silence = 30_000;
const errorBytes = 2 ** 16;

export function isS3(path: string): boolean {
  return /^s3:\/\//i.test(path);
}

/** What to say of a path that does not exist and looks like an address of another storage; undefined for other paths. */
export function otherStorage(path: string): LincirError | undefined {
  if (!/^[a-z][a-z\d+.-]+:\//i.test(path)) return undefined;
  return new LincirError('bad-argument', {
    subject: quoted(path, 200),
    expected: 'a path, or an address s3://BUCKET/KEY: sources in other storage are not read',
    found: 'an address of another kind, and no such file',
    todo: 'check the address',
  });
}

/** @throws LincirError 'bad-argument' for an address without a bucket's name, or with a part that a URL cannot have */
export function parseS3(address: string): S3Address {
  const [, bucket, key = ''] = /^s3:\/\/([a-z\d][a-z\d._-]{2,62})(?:\/(.*))?$/is.exec(address) ?? [];
  if (bucket !== undefined && !/(?:^|\/)\.\.?(?:\/|$)/.test(key)) return { bucket, key };
  const [, given = ''] = /^s3:\/\/([^/]*)/i.exec(address) ?? [];
  const wrong = given === '' ? 'no bucket' : `the bucket ${quoted(given)}`;
  throw new LincirError('bad-argument', {
    subject: quoted(address, 200),
    expected: 's3://BUCKET/KEY, with 3 to 63 letters, digits, ., - and _ in BUCKET',
    found: bucket === undefined ? wrong : 'a part that is . or ..',
    todo: 'check the address',
  });
}

/** A connection to one bucket, as the environment says: credentials, region and endpoint. */
export class S3Connection {
  readonly bucket: string;
  readonly #settings: Promise<Settings>;
  /** As the service says, if it is another one than the environment's. */
  #region: string | undefined;

  constructor(bucket: string) {
    this.bucket = bucket;
    this.#settings = settingsOf(process.env);
  }

  /** What to throw in `read` when an answer ends too early. */
  cut(received: string): Error {
    return new Interruption(`only ${received}`);
  }

  /** Sends a request, and returns its answer without reading it. */
  async #send(
    method: 'GET' | 'HEAD',
    key: string,
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Response> {
    const { endpoint, region: given, client } = await this.#settings;
    const region = this.#region ?? given;
    const url = urlOf(endpoint, region, { bucket: this.bucket, key });
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const init = { method, headers };
    const request = client
      ? await client.sign(url, { ...init, aws: { service: 's3', region } })
      : new Request(url, init);
    return await fetch(request, { redirect: 'manual', signal });
  }

  /**
   * Sends a request until it is answered, and reads the answer. Of a cut answer, `read` may throw away what it has, or ask
   * for the rest the next time; `advanced` says that something came.
   * @param headers asked for at every attempt
   * @throws LincirError 'not-found', 'bad-file' for an object that has changed, 'network', and the signal's reason
   */
  async request<Result>(
    subject: string,
    {
      method = 'GET',
      key,
      query = {},
      headers = () => ({}),
      signal,
    }: {
      readonly method?: 'GET' | 'HEAD';
      readonly key: string;
      readonly query?: Readonly<Record<string, string>>;
      readonly headers?: () => Readonly<Record<string, string>>;
      readonly signal?: AbortSignal | undefined;
    },
    read: (response: Response, chunks: AsyncIterable<Uint8Array>, advanced: () => void) => Promise<Result>,
  ): Promise<Result> {
    await this.#settings; // What is wrong with these does not pass.
    for (let failures = 0; ; ) {
      try {
        return await this.#once(method, key, query, headers(), signal, subject, (response, chunks) =>
          read(response, chunks, () => {
            failures = 0;
          }),
        );
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof Interruption)) throw error;
        failures += 1;
        if (failures >= attempts) {
          throw new LincirError('network', {
            subject,
            expected: 'to receive it from object storage',
            found: `${error.message} (${failures} times)`,
            todo: 'check the network and run the same command again',
            cause: error,
          });
        }
        const wait = backoff * 2 ** (failures - 1) * (0.5 + Math.random());
        await pause(Math.max(error.wait, wait), undefined, { signal });
      }
    }
  }

  async #once<Result>(
    method: 'GET' | 'HEAD',
    key: string,
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
    subject: string,
    read: (response: Response, chunks: AsyncIterable<Uint8Array>) => Promise<Result>,
  ): Promise<Result> {
    const send = (any: AbortSignal) => this.#send(method, key, query, headers, any);
    return await transfer({ silence, signal }, send, async (response, chunks) => {
      if (response.ok) return await read(response, chunks);
      throw await this.#refused(response, chunks, subject);
    });
  }

  async #refused(response: Response, chunks: AsyncIterable<Uint8Array>, subject: string): Promise<Error> {
    const { status, headers } = response;
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of chunks) {
      if (length < errorBytes) parts.push(chunk);
      length += chunk.length;
    }
    const body = Buffer.concat(parts).toString();
    const code = /<Code>(\w+)<\/Code>/.exec(body)?.[1];
    const elsewhere = headers.get('x-amz-bucket-region') ?? /<Region>([\w-]+)<\/Region>/.exec(body)?.[1];
    const { region } = await this.#settings;
    const isElsewhere = [301, 302, 307, 400].includes(status) && elsewhere !== undefined;
    if (isElsewhere && elsewhere !== (this.#region ?? region)) {
      this.#region = elsewhere;
      return new Interruption(`a bucket of the region ${elsewhere}`);
    }
    if ([408, 429, 500, 502, 503, 504].includes(status)) {
      const wait = waitAskedBy(response);
      return new Interruption(`HTTP status ${status}${code === undefined ? '' : ` ${code}`}`, { wait });
    }
    const { client } = await this.#settings;
    return refusalOf(status, code, subject, client !== undefined);
  }
}

/** Credentials come from the environment alone, so that no command line shows them. */
async function settingsOf(environment: NodeJS.ProcessEnv): Promise<Settings> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || 'us-east-1';
  const endpoint = environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL || undefined;
  if (endpoint !== undefined && !(/^https?:\/\//i.test(endpoint) && URL.canParse(endpoint))) {
    throw new LincirError('bad-argument', {
      subject: 'AWS_ENDPOINT_URL',
      expected: 'an address with http:// or https://, such as https://storage.example.org',
      found: quoted(endpoint),
    });
  }
  if (!accessKeyId !== !secretAccessKey) {
    throw new LincirError('bad-argument', {
      subject: 'the environment',
      expected: 'both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
      found: 'one of them',
    });
  }
  if (!accessKeyId || !secretAccessKey) return { endpoint, region, client: undefined };
  const { AwsClient } = await import('aws4fetch');
  const sessionToken = environment.AWS_SESSION_TOKEN || undefined;
  const client = new AwsClient({ accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) });
  return { endpoint, region, client };
}

/** Other servers than AWS often know buckets by paths alone; a certificate fits no bucket with a dot in its host's name. */
function urlOf(endpoint: string | undefined, region: string, { bucket, key }: S3Address): URL {
  const path = key.split('/').map(encoded).join('/');
  if (endpoint !== undefined) return new URL(`${endpoint.replace(/\/$/, '')}/${bucket}/${path}`);
  const domain = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  return bucket.includes('.')
    ? new URL(`https://${domain}/${bucket}/${path}`)
    : new URL(`https://${bucket}.${domain}/${path}`);
}

/** As the signature has it. */
function encoded(part: string): string {
  return encodeURIComponent(part).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
