/** What a result was made with, so that it can be made again. */

import { createRequire } from 'node:module';

/** Versions by name: this package's, the engine's, Node's, and the platform. */
export function versions(): Record<string, string> {
  const load = createRequire(import.meta.url);
  const versionOf = (file: string): string => load(file).version;
  return {
    lincir: versionOf('../../package.json'),
    node: process.versions.node,
    'onnxruntime-node': versionOf('onnxruntime-node/package.json'),
    platform: `${process.platform}-${process.arch}`,
  };
}
