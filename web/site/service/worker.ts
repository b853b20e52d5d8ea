/**
 * The site's service worker. It keeps one whole version of the site for offline use, and answers with headers that static
 * hosts often lack: without them, browsers allow no threads.
 */

import { download, fileFor, isVersion, type SiteFile } from './files.ts';

declare const self: ServiceWorkerGlobalScope;
/** The build puts these in: the version is the hash of the list. */
declare const SITE_VERSION: string;
declare const SITE_FILES: readonly SiteFile[];

const folder = new URL('./', self.location.href).href;
const files = new Map(SITE_FILES.map((file) => [file.path, file]));
/** Several sites may share an origin, each in its folder. */
const family = `lincir ${folder} `;
const cacheName = `${family}${SITE_VERSION}`;
const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
};
const atATime = 4;

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('message', ({ data }) => {
  // Otherwise a new version waits until all pages of the old one are closed.
  if (data === 'take over') void self.skipWaiting();
});
self.addEventListener('fetch', (event) => {
  const file = event.request.method === 'GET' ? fileFor(event.request.url, folder, files) : undefined;
  if (file !== undefined) event.respondWith(answer(file, event));
});

/** Gets all files but those that few need, or none: this version answers nothing before all are there. */
async function install(): Promise<void> {
  const cache = await caches.open(cacheName);
  const waiting = [...files.values()];
  const getSome = async () => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      const key = new URL(file.path, folder).href;
      // What has not changed since the last version need not come again.
      const kept = await caches.match(key);
      if (kept && isVersion(kept, file)) await cache.put(key, kept);
      else if (!file.onUse) await cache.put(key, await download(file, folder));
    }
  };
  try {
    await Promise.all(Array.from({ length: atATime }, getSome));
  } catch (error) {
    waiting.length = 0;
    await caches.delete(cacheName);
    throw error;
  }
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(family) && name !== cacheName);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answer(file: SiteFile, { request, clientId }: FetchEvent): Promise<Response> {
  const cache = await caches.open(cacheName);
  const key = new URL(file.path, folder).href;
  let kept = await cache.match(key);
  if (kept === undefined && file.onUse) {
    kept = await download(file, folder);
    // Without room for it, it comes again next time.
    await cache.put(key, kept.clone()).catch(() => undefined);
  }
  // Browsers may throw caches away when the disk is full.
  const response = kept ?? (await fetch(request));
  const { body, status, statusText, headers } = response;
  // Redirects and answers without a body pass as they are.
  if (status === 0 || body === null) return response;
  const all = new Headers(headers);
  for (const [name, value] of Object.entries(isolation)) all.set(name, value);
  const policy = file.policy ?? (request.destination === 'worker' ? await policyOf(clientId) : undefined);
  if (policy !== undefined) all.set('content-security-policy', policy);
  return new Response(body, { status, statusText, headers: all });
}

/** The policy of the page that asks: for the engine's threads, which it starts itself. Other workers have it by `shell/start-worker.ts`. */
async function policyOf(clientId: string): Promise<string | undefined> {
  const client = await self.clients.get(clientId);
  const page = client && fileFor(client.url, folder, files);
  return page?.policy ?? files.get('index.html')?.policy;
}
