/** The files of a version of the site: which one answers a request, and getting them, each checked. */

export interface SiteFile {
  /** In the site's folder. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Kept when it is first used, not before. */
  readonly onUse?: boolean;
  /** What a page says in its HTML on where scripts, workers and data may come from. */
  readonly policy?: string;
}

/** The header that says in a cache which version of a file this is. */
const hashHeader = 'x-sha256';

/** The file for an address, if it is one of the site's: with or without `.html`, and a folder's `index.html`. */
export function fileFor(
  address: string,
  folder: string,
  files: ReadonlyMap<string, SiteFile>,
): SiteFile | undefined {
  const { origin, pathname } = new URL(address);
  const start = new URL(folder);
  if (origin !== start.origin || !pathname.startsWith(start.pathname)) return undefined;
  const path = pathname.slice(start.pathname.length);
  return files.get(path === '' ? 'index.html' : path) ?? files.get(`${path}.html`);
}

/** Gets a file from the host. One that is cut or changed is refused, so that no cache ever holds it. */
export async function download({ path, bytes, sha256 }: SiteFile, folder: string): Promise<Response> {
  // What has its hash in its name never changes: what the page has just loaded need not come again.
  const cache = path.startsWith('assets/') ? 'default' : 'no-cache';
  const response = await fetch(new URL(path, folder), { cache });
  if (!response.ok) throw new Error(`${path}: the host answers ${response.status}`);
  const body = await response.arrayBuffer();
  if (body.byteLength !== bytes) throw new Error(`${path} has ${body.byteLength} bytes instead of ${bytes}`);
  if ((await hashOf(body)) !== sha256) throw new Error(`${path} is not what was built: its hash differs`);
  // A new response, for one that came by a redirect may not answer navigations.
  const type = response.headers.get('content-type') ?? 'application/octet-stream';
  return new Response(body, {
    headers: { 'content-type': type, 'content-length': `${bytes}`, [hashHeader]: sha256 },
  });
}

/** Whether a cache's answer is this version of the file. */
export function isVersion(kept: Response, { sha256 }: SiteFile): boolean {
  return kept.headers.get(hashHeader) === sha256;
}

async function hashOf(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
