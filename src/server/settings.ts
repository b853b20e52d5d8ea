/** How a server answers: where it listens, who may ask, and how much at once. */

import type { Indexing } from './indexing/index.ts';

/** Settings of a server, complete. */
export interface ServerSettings {
  /** The address that it listens on. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Any of these is asked of every client; none if there are none. */
  readonly keys: readonly string[];
  /** Whether it may listen beyond loopback without keys. */
  readonly withoutKey: boolean;
  /** Names of the server beside those of loopback, such as `images.example.org` or `nas.local:8443`. */
  readonly allowedHosts: readonly string[];
  /** Origins of other sites whose pages may ask, such as `https://example.org`. */
  readonly allowedOrigins: readonly string[];
  /** Where clients reach it, if a proxy stands before it: an address such as `https://images.example.org/search`. */
  readonly publicUrl?: string;
  /** clip-retrieval's protocol: off, at its usual addresses, or below a secret part of the address, which is its key. */
  readonly knnService: boolean | { readonly token: string };
  /** Whether assistants can use it, at `/mcp`. */
  readonly mcp: boolean;
  /** Brings indexes up to date when a client asks for it. Absent: no client can. */
  readonly indexing?: Pick<Indexing, 'state' | 'start' | 'stop'>;
  /** Whether this is the miniature world. */
  readonly demo: boolean;
  /** The folder of the built page. Default: where the package has it. */
  readonly pageFolder?: string;
  /** The largest image that a client may send. */
  readonly uploadBytes: number;
  /** Seconds after which nobody waits for an answer. */
  readonly requestSeconds: number;
  /** Requests at once; others are told to come again. */
  readonly requests: number;
  /** Bytes of all bodies at once. */
  readonly bodyBytes: number;
  /** Takes unexpected errors, which clients do not see. */
  readonly onError: (message: string) => void;
  /** Takes a line of JSON for each request. Absent: nobody writes them. */
  readonly onRequest?: (line: string) => void;
}

/** The port is L-I-N-C on the keys of a telephone. */
export const defaultSettings: ServerSettings = {
  host: '127.0.0.1',
  port: 5462,
  keys: [],
  withoutKey: false,
  allowedHosts: [],
  allowedOrigins: [],
  knnService: false,
  mcp: true,
  demo: false,
  uploadBytes: 2 ** 26,
  requestSeconds: 10,
  requests: 512,
  bodyBytes: 2 ** 28,
  onError: () => {},
};
