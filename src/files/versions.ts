/** The versions that a result was made with, to repeat it. */

import { createRequire } from 'node:module';

/** Versions by name: this package's, the engine's, Node's, and the platform. */
export function versions(): Record<string, string> {
  const { version, devDependencies } = createRequire(import.meta.url)('../../package.json');
  return {
    lincir: version,
    node: process.versions.node,
    'onnxruntime-node': devDependencies['onnxruntime-node'], // part of a package that is built
    platform: `${process.platform}-${process.arch}`,
  };
}
