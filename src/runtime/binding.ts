/** Loads ONNX Runtime's native part in an installed package. `scripts/build.ts` makes its JavaScript call this. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LincirError } from '../core/index.ts';

const target = `${process.platform}-${process.arch}`;

/**
 * It tries, in this order: an `onnxruntime-node` of the same version that the user installed, for example with CUDA's
 * libraries; the package of this platform; the binaries that `npm pack` put beside the code. `onnxruntime-node` itself is
 * not a dependency, because it has the binaries of all platforms, and an install script that fails without its network.
 * @param version of onnxruntime-node, whose JavaScript is part of this package
 * @param from the requesting module
 * @throws LincirError 'device' if there is none, or if the system cannot load it
 */
export function loadBinding(version: string, from = import.meta.url): unknown {
  const require = createRequire(from);
  const full = packageFolder(require, 'onnxruntime-node');
  const sameVersion = full !== undefined && require(join(full, 'package.json')).version === version;
  const folders = [
    sameVersion ? join(full, 'bin/napi-v6', process.platform, process.arch) : undefined,
    packageFolder(require, `lincir-onnxruntime-${target}`),
    join(dirname(require.resolve('../../package.json')), 'dist/onnxruntime', target),
  ];
  const files = folders.flatMap((folder) => (folder ? [join(folder, 'onnxruntime_binding.node')] : []));
  const file = files.find((candidate) => existsSync(candidate));
  const refuse = (found: string, todo: string, cause?: unknown) =>
    new LincirError('device', {
      subject: 'ONNX Runtime',
      expected: `its native part for ${target}`,
      found,
      todo,
      cause,
    });
  if (!file) {
    const todo = `install it by \`npm install onnxruntime-node@${version}\`, which knows Linux and Windows on x64 and arm64, and macOS on arm64`;
    throw refuse('none', todo);
  }
  try {
    return require(file);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw refuse(found, 'on Linux it needs glibc: musl, as in Alpine, will not do', cause);
  }
}

function packageFolder(require: NodeJS.Require, name: string): string | undefined {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}
