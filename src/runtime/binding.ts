/** Loads ONNX Runtime's native part where this is installed as a package: what `scripts/build.ts` has its JavaScript call. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LincirError } from '../core/index.ts';

const target = `${process.platform}-${process.arch}`;

/**
 * In this order: that of an `onnxruntime-node` of the same version which the user installed, with CUDA's libraries say;
 * the package of this platform; what `npm pack` put beside the code. The package `onnxruntime-node` itself is no
 * dependency, since it has the binaries of all platforms, and an install script that fails without its network.
 * @param version of onnxruntime-node, whose JavaScript is part of this package
 * @param from the module that asks
 * @throws LincirError 'device' where there is none, or the system cannot load it
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
