/** Turns what a cluster or its connection reports into LincirErrors. Nothing of the request, where credentials are, goes into them. */

import { z } from 'zod';
import { type ErrorCode, LincirError, quoted, unquoted } from '../../core/index.ts';

export interface Failure {
  /** The HTTP status; undefined if there was no answer. */
  readonly status: number | undefined;
  /** What the cluster or the connection says. */
  readonly text: string;
  /** HOST:PORT of the node that did not answer, if the connection says so. */
  readonly node?: string;
  /** Whether the same request may be answered later, or by another node. */
  readonly isPassing: boolean;
}

/** The first whose pattern fits the status and text counts. */
const causes: readonly {
  readonly pattern: RegExp;
  /** Default: network. */
  readonly code?: ErrorCode;
  readonly expected: string;
  readonly found: string;
  readonly todo: string;
}[] = [
  {
    pattern: /certificate has expired|certificate is not yet valid/i,
    expected: 'a certificate that is valid now',
    found: 'that its certificate has expired, or is not valid yet',
    todo: "renew the cluster's certificate, and check this machine's clock",
  },
  {
    pattern: /self.signed|unable to (?:verify|get)|certificate in certificate chain/i,
    expected: 'a certificate that this machine can check',
    found: 'a certificate of an authority that this machine does not know',
    todo: 'set LINCIR_OPENSEARCH_CA to the file of the authority that issued it',
  },
  {
    pattern: /altname|does not match certificate/i,
    expected: 'a certificate for this host',
    found: 'a certificate for another host',
    todo: 'name the host as its certificate does',
  },
  {
    pattern: /DeserializationError|wrong version number|packet length|socket hang up|EPROTO|Parse Error/i,
    expected: 'an answer of OpenSearch',
    found: 'an answer of another protocol, or none',
    todo: 'check the port, and whether the address begins with opensearch:// or, if encrypted, opensearch+https://',
  },
  {
    pattern: /^401|AuthenticationException/i,
    expected: 'credentials that the cluster accepts',
    found: 'that it does not accept the credentials, or that there are none',
    todo: 'check LINCIR_OPENSEARCH_USER and LINCIR_OPENSEARCH_PASSWORD, or LINCIR_OPENSEARCH_API_KEY',
  },
  {
    pattern: /flood.?stage|read.only.+allow.delete/i,
    code: 'io',
    expected: 'an index that can be written',
    found: 'it read-only, because the disk of a node is full',
    todo: 'free some disk space or add nodes; when there is space, the cluster lifts this and the command can be run again',
  },
  {
    pattern: /index write \(api\)|require_alias/i,
    code: 'io',
    expected: 'an index that can be written',
    found: 'that it is being rebuilt, or was replaced meanwhile',
    todo: "wait for the rebuild's end, and run the command again: what was written is kept",
  },
  {
    pattern: /too_complex_to_determinize/i,
    code: 'bad-argument',
    expected: 'a pattern that the cluster can use',
    found: 'a pattern in a filter with too many % and _',
    todo: 'write a shorter pattern',
  },
  {
    pattern: /no such index|index_not_found/i,
    code: 'not-found',
    expected: 'a whole index',
    found: 'that a part of it is gone',
    todo: 'it may have been rebuilt: open it again',
  },
  {
    pattern: /^403/i,
    expected: 'a user who may do this',
    found: 'that the user may not do this',
    todo: 'give the user the permissions of docs/cluster.md',
  },
  {
    pattern: /unknown setting \[index\.knn|no handler for type \[knn_vector|unknown query \[knn\]/i,
    code: 'bad-config',
    expected: 'OpenSearch with the k-NN plugin',
    found: 'a cluster without the k-NN plugin',
    todo: 'install opensearch-knn on every node',
  },
  {
    pattern: /total fields|field_name_length|nested fields/i,
    code: 'bad-argument',
    expected: 'room for all columns of metadata',
    found: 'no room for another column of metadata',
    todo: 'leave out columns that no filter needs',
  },
  {
    pattern: /no_shard_available|missing shards|all shards failed|no such shard|partial/i,
    expected: 'a copy of every part of the index',
    found: 'parts without any copy that answers: the cluster is red',
    todo: 'bring its nodes back; GET /_cluster/allocation/explain tells why a part is not there',
  },
  {
    pattern: /unavailable_shards|not enough active copies/i,
    expected: 'two copies of every part that is written',
    found: 'too few copies of a part to write safely',
    todo: 'bring the lost node back, or set index.write.wait_for_active_shards of the index to 1',
  },
  {
    pattern: /master_not_discovered|cluster_manager_not_discovered|no (?:master|cluster.manager)/i,
    expected: 'a cluster with a manager',
    found: 'a cluster that has no manager',
    todo: 'bring the lost nodes back: more than half of those that can be managers',
  },
  {
    pattern: /^429|rejected_execution|circuit_breaking/i,
    code: 'busy',
    expected: 'a cluster that has time for this',
    found: 'a cluster that has too much to do',
    todo: 'run fewer workers, or add nodes',
  },
  {
    pattern: /^4\d\d$/, // OpenSearch gives reasons
    expected: 'OpenSearch',
    found: 'that another program answers there',
    todo: 'check the host and the port',
  },
  {
    pattern: /ENOTFOUND|EAI_AGAIN/,
    expected: 'a host that DNS knows',
    found: 'no host of that name',
    todo: 'check the address',
  },
  {
    pattern: /ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|timed out|aborted|^5\d\d|No Living/i,
    expected: 'a cluster that answers',
    found: 'no answer from any node',
    todo: 'check the address and the network, and whether the cluster runs',
  },
];
const hopeless =
  /certificate|self.signed|unable to (?:verify|get)|altname|wrong version|DeserializationError|flood.?stage/i;

const asked = z.object({
  meta: z.object({ meta: z.object({ connection: z.object({ url: z.instanceof(URL) }) }) }),
});
const response = z.object({
  statusCode: z.number(),
  body: z.object({ error: z.unknown().optional() }).catch({ error: undefined }),
});

/** What a request failed of. */
export function failureOf(error: unknown): Failure {
  const answer = response.safeParse(error).data;
  if (answer) return failureFrom(answer.statusCode, answer.body.error);
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const url = asked.safeParse(error).data?.meta.meta.connection.url;
  const node = url && `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`;
  return { status: undefined, text, isPassing: !hopeless.test(text), ...(node && { node }) };
}

/** What an answer says about a request, or about one document of it. */
export function failureFrom(status: number, reported: unknown): Failure {
  const text =
    reported === undefined
      ? `${status}`
      : `${status} ${typeof reported === 'string' ? reported : textOf(reported)}`;
  return { status, text, isPassing: [409, 429, 500, 502, 503, 504].includes(status) && !hopeless.test(text) };
}

/** What DNS says of a name that it does not know. */
export const isUnknownHost = ({ text }: Failure): boolean => text.includes('ENOTFOUND');

/**
 * The error for users.
 * @param tried what each node failed of that did not answer
 */
export function refusalOf(
  { text, status }: Failure,
  subject: string,
  image?: string,
  tried?: ReadonlyMap<string, string>,
): LincirError {
  const cause = causes.find(({ pattern }) => pattern.test(text));
  const isOfImage = cause === undefined && image !== undefined;
  return new LincirError(cause?.code ?? (cause || status === undefined ? 'network' : 'io'), {
    subject: isOfImage ? `${subject}: ${quoted(image, 200)}` : subject,
    expected: isOfImage
      ? 'an image that the cluster takes'
      : (cause?.expected ?? 'a request that the cluster accepts'),
    found: cause?.found ?? quoted(text, 300),
    todo: `${cause?.todo ?? 'run the command again: what was written is kept'}${status === undefined && tried?.size ? `; tried ${list(tried)}` : ''}`,
    cause: new Error(text),
  });
}

function list(tried: ReadonlyMap<string, string>): string {
  return [...tried].map(([node, text]) => `${node} (${unquoted(text, 100)})`).join(', ');
}

/** The error for an index or alias that lincir has not made. */
export function ofAnother(subject: string, name: string): LincirError {
  return new LincirError('bad-argument', {
    subject,
    expected: 'an index of lincir, or none',
    found: `an index or alias ${name} of another program`,
    todo: 'choose another name',
  });
}

const errorParts = z.object({
  type: z.string().catch(''),
  reason: z.string().nullish().catch(undefined),
  caused_by: z.unknown().optional(),
  root_cause: z.array(z.unknown()).catch([]),
});

/** Types and reasons, down to the first cause. */
function textOf(reported: unknown, depth = 0): string {
  const { data } = errorParts.safeParse(reported);
  if (!data || depth > 4) return '';
  const causes = [data.caused_by, data.root_cause[0]].map((cause) => textOf(cause, depth + 1));
  return [...new Set([data.type, data.reason ?? '', ...causes])].filter((part) => part !== '').join(': ');
}
