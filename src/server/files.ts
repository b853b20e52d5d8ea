/** Files as HTTP sends them: with names that are safe in headers, and asked for again only if they have changed. */

import type { Context } from 'hono';
import type { ServedFile } from '../service/index.ts';

interface FileHeaders {
  /** Seconds for which a browser need not ask again. */
  readonly seconds: number;
  /** Whether the file came from a user, and could be anything. */
  readonly isForeign?: boolean;
}

/** Sends a file, or says that the client has it. */
export function fileResponse(
  context: Context,
  file: ServedFile,
  { seconds, isForeign }: FileHeaders,
): Response {
  const etag = `"${file.etag.replaceAll(/[^\w.-]/g, '')}"`;
  const headers: Record<string, string> = {
    etag,
    // `private`: no proxy keeps what one client was allowed to see.
    'cache-control': seconds > 0 ? `private, max-age=${seconds}` : 'private, no-cache',
  };
  // A document from here runs nothing and belongs to no site. With 304, too: browsers keep its headers.
  if (isForeign)
    headers['content-security-policy'] = "sandbox; default-src 'none'; style-src 'unsafe-inline'";
  if (matches(context.req.header('if-none-match'), etag)) return new Response(null, { status: 304, headers });
  headers['content-type'] = file.type;
  headers['content-disposition'] = disposition(file);
  return new Response(file.bytes, { headers });
}

function matches(header: string | undefined, etag: string): boolean {
  return header?.split(',').some((one) => ['*', etag].includes(one.trim().replace(/^W\//, ''))) ?? false;
}

/** Shown if a browser shows its type, with its name in both of the forms that RFC 6266 has. */
function disposition({ name, type }: ServedFile): string {
  const kind = /^image\/(?!svg)/.test(type) ? 'inline' : 'attachment';
  const clean = name.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029/\\]/gu, '_');
  const plain = clean.replaceAll(/[^\w .()-]/g, '_');
  const encoded = encodeURIComponent(clean).replaceAll(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
