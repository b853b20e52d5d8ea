/**
 * Starts a worker under the page's own policy. The service worker sends it with each worker's script. Without one, a script
 * that comes straight from a host has the policy of that answer's headers, and static hosts send none; one that is made here
 * has its creator's. Firefox lets what such a worker asks for pass by the service worker, so that it would need a network.
 */

/**
 * @param address of a module, absolute
 * @param name for developers' tools
 */
export function startWorker(address: string, name?: string): Worker {
  return new Worker(isStored() ? address : madeHere(address), { type: 'module', name });
}

/** Whether a service worker answers. A worker does not see it, but was itself started in the same way. */
function isStored(): boolean {
  return 'document' in globalThis
    ? Boolean(navigator.serviceWorker?.controller)
    : globalThis.location.protocol !== 'blob:';
}

function madeHere(address: string): string {
  const script = new Blob([`import ${JSON.stringify(address)};`], { type: 'text/javascript' });
  return URL.createObjectURL(script);
}
