/** Registers the service worker, and says how far the site works without a network. */

export type OfflineState =
  /** This browser, window or address has no service workers. */
  | 'unavailable'
  | 'storing'
  | 'stored'
  /** The network failed, or there is no room. The next visit tries again. */
  | 'failed';

export interface OfflineSite {
  readonly state: OfflineState;
  /** Loads the new version of the site, if one is stored. */
  readonly update?: () => void;
}

/** Call it once the page works: the service worker then finds in the browser's cache what the page has loaded. */
export async function keepOffline(tell: (site: OfflineSite) => void): Promise<void> {
  // `serviceWorker` may be missing, refuse, or never answer: without TLS, in private windows, by a user's choice.
  const { serviceWorker } = navigator as { serviceWorker?: ServiceWorkerContainer };
  if (serviceWorker === undefined || import.meta.env.DEV) return tell({ state: 'unavailable' });
  let registration: ServiceWorkerRegistration;
  try {
    registration = await serviceWorker.register(new URL('service-worker.js', document.baseURI));
  } catch (error) {
    // A script that does not come is the network's fault, all else is a refusal.
    return tell({ state: error instanceof TypeError ? 'failed' : 'unavailable' });
  }
  const follow = () => {
    const { installing, waiting, active } = registration;
    const next = installing ?? waiting;
    if (waiting && active) tell({ state: 'stored', update: () => takeOver(serviceWorker, waiting) });
    else if (active) tell({ state: 'stored' });
    else tell({ state: next ? 'storing' : 'failed' });
    next?.addEventListener('statechange', follow, { once: true });
  };
  registration.addEventListener('updatefound', follow);
  follow();
}

/** Whether the page may have several threads; if not, why. */
export function threadsHere(): { readonly threads: number; readonly why?: string } {
  const { crossOriginIsolated: isIsolated } = globalThis;
  if (isIsolated && 'SharedArrayBuffer' in globalThis) return { threads: navigator.hardwareConcurrency };
  // A page that was there before the service worker has not got its headers, though it may be controlled by now.
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const cameFromServiceWorker = (navigation?.workerStart ?? 0) > 0;
  const why =
    isIsolated || cameFromServiceWorker
      ? 'This browser gives this page no more.'
      : 'The host of this page sends no headers that allow more. Once the page is stored for offline use, reload it: then it has all.';
  return { threads: 1, why };
}

function takeOver(container: ServiceWorkerContainer, waiting: ServiceWorker): void {
  container.addEventListener('controllerchange', () => location.reload(), { once: true });
  waiting.postMessage('take over');
}
