/** Starts kernels: small programs in WebAssembly, which `npm run kernel` compiles from the `.wat` files beside them. */

/** Memory of a kernel. Several threads can use shared memory at once. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): void;
}

// Node's types do not have it.
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number; shared: boolean }) => KernelMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** Bytes of a page, the unit of a memory's size. */
export const pageLength = 65_536;

/** Zeros. They take room when they are first written. */
export function kernelMemory(bytes: number, shared: boolean): KernelMemory {
  const pages = Math.ceil(bytes / pageLength);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
}

/**
 * The functions of a kernel, given in base64, and its memory if it has one of its own.
 * @param memory for a kernel that takes one
 */
export function startKernel<Exports>(kernelBytes: string, memory?: KernelMemory): Exports {
  const bytes = Uint8Array.from(atob(kernelBytes), (character) => character.charCodeAt(0));
  const imports = { host: { memory } };
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports as Exports;
}
