/** Extracts ONNX Runtime's native part for one platform from the package that has all of them. */

import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const source = resolve(import.meta.dirname, '../node_modules/onnxruntime-node');

export const { version: runtimeVersion }: { version: string } = JSON.parse(
  readFileSync(join(source, 'package.json'), 'utf8'),
);

/** As Node says them. */
export const platforms = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64', 'win32-arm64'];

/** Writes the binaries of `platform` and their licence into `folder`. */
export function copyRuntime(platform: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const binaries = join(source, 'bin/napi-v6', platform.replace('-', '/'));
  for (const name of readdirSync(binaries)) {
    // macOS has the same library under two names; the binding asks for the shorter one.
    // CUDA's provider may be linked here (src/runtime/cuda.ts).
    if (!name.endsWith(`.${runtimeVersion}.dylib`) && !name.includes('_providers_'))
      cpSync(join(binaries, name), join(folder, name));
  }
  writeFileSync(join(folder, 'LICENSE'), licence);
}

const licence = `These files are of ONNX Runtime ${runtimeVersion}, as the npm package onnxruntime-node has them.
What they contain of others: https://github.com/microsoft/onnxruntime/blob/v${runtimeVersion}/ThirdPartyNotices.txt

MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`;
