/** The memory of WebAssembly where a browser gives less of it than ONNX Runtime asks for. */

/** Of 64 KiB each: 256 MiB. With less, no model would fit. */
const fewestPages = 4096;

let given: typeof WebAssembly.Memory | undefined;

/**
 * ONNX Runtime asks for memory that may grow to 4 GB. Browsers reserve that at once for memory that threads can share, and
 * iPhones refuse (microsoft/onnxruntime 22086). From now on a refused memory is asked for again with half the limit: a module
 * takes that, too.
 */
export function takeWhatMemoryThereIs(): void {
  if (WebAssembly.Memory === given) return;
  given = new Proxy(WebAssembly.Memory, {
    construct(target, [wanted]: [WebAssembly.MemoryDescriptor]) {
      for (let maximum = wanted.maximum; ; ) {
        try {
          return new target(maximum === undefined ? wanted : { ...wanted, maximum });
        } catch (error) {
          const half = Math.floor((maximum ?? 0) / 2);
          if (!(error instanceof RangeError) || half < Math.max(fewestPages, wanted.initial)) throw error;
          maximum = half;
        }
      }
    },
  });
  WebAssembly.Memory = given;
}
