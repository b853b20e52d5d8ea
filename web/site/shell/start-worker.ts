/**
 * Starts a worker under the page's own policy. One whose script comes straight from a host has the policy of that answer's
 * headers, and static hosts send none; one whose script is made here has its creator's.
 */

/**
 * @param address of a module, absolute
 * @param name for developers' tools
 */
export function startWorker(address: string, name?: string): Worker {
  const script = new Blob([`import ${JSON.stringify(address)};`], { type: 'text/javascript' });
  return new Worker(URL.createObjectURL(script), { type: 'module', name });
}
