/** The page of the engine's tests: starts the worker, and passes questions on to it. */

const worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
const waiting: ((answer: { readonly value?: unknown; readonly error?: string }) => void)[] = [];
worker.onmessage = ({ data }) => waiting.shift()!(data);
worker.onerror = ({ message }) => waiting.shift()?.({ error: message });

/** The answer is JSON, since browsers' drivers send it much faster than values. */
async function ask(name: string, given: readonly unknown[]): Promise<string> {
  worker.postMessage({ name, given });
  const { value, error } = await new Promise<{ value?: unknown; error?: string }>((resolve) => {
    waiting.push(resolve);
  });
  if (error !== undefined) throw new Error(error);
  return JSON.stringify(value ?? null);
}

Object.assign(globalThis, { ask });
