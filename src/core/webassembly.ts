/** Starts kernels: small programs in WebAssembly, which `npm run kernel` compiles from the `.wat` files beside them. */

/** Memory of a kernel. Shared memory can be used by several threads at once. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  grow(pages: number): void;
}

// Node's types do not have it.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => { readonly exports: unknown };
};

/** Bytes of a page, the unit of a memory's size. */
export const pageLength = 65_536;

/** The functions and the memory of a kernel, given in base64. */
export function startKernel<Exports>(kernelBytes: string): Exports {
  const bytes = Uint8Array.from(atob(kernelBytes), (character) => character.charCodeAt(0));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Exports;
}
