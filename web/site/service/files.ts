/** The files of a version of the site: which one answers a request, and getting them, each checked. */

export interface SiteFile {
  /** In the site's folder. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

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

/** Whether a file's name has its hash: what has this name never changes. */
export function isHashed({ path }: SiteFile): boolean {
  return path.startsWith('assets/');
}

/** Gets a file from the host. One that is cut or changed is refused, so that no cache ever holds it. */
export async function download(file: SiteFile, folder: string): Promise<Response> {
  const { path, bytes, sha256 } = file;
  // What the page has just loaded need not come again.
  const response = await fetch(new URL(path, folder), { cache: isHashed(file) ? 'default' : 'no-cache' });
  if (!response.ok) throw new Error(`${path}: the host answers ${response.status}`);
  const body = await response.arrayBuffer();
  if (body.byteLength !== bytes) throw new Error(`${path} has ${body.byteLength} bytes instead of ${bytes}`);
  if ((await hashOf(body)) !== sha256) throw new Error(`${path} is not what was built: its hash differs`);
  // A new response, for one that came by a redirect may not answer navigations.
  const type = response.headers.get('content-type') ?? 'application/octet-stream';
  return new Response(body, { headers: { 'content-type': type } });
}

async function hashOf(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
