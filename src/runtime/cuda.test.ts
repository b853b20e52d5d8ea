/** What is said when parts of CUDA are missing, and that ONNX Runtime finds them when none is. */

import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { cudaFolder, cudaLibraries, prepareCuda } from './cuda.ts';

const isOffered = process.platform === 'linux' && process.arch === 'x64';
const skip = isOffered ? false : 'ONNX Runtime has CUDA on Linux x64 alone';
const provider = 'onnxruntime/capi/libonnxruntime_providers_cuda.so';
const info = 'onnxruntime_gpu-1.30.0.dist-info/METADATA';

/** What remains of a provider that needs these: their names. */
const needing = (...names: string[]) => `\0${names.join('\0')}\0`;

/** Refuses or prepares a folder with these files; `library` stands for any that can be loaded. */
function prepared(files: Readonly<Record<string, string>>): { message: string; links: string[] } {
  const root = mkdtempSync(join(tmpdir(), 'lincir-cuda-'));
  const [folder, beside] = [join(root, 'cuda'), join(root, 'beside')];
  mkdirSync(beside);
  const [loadable] = /\/\S*\/libm\S*/.exec(readFileSync('/proc/self/maps', 'utf8'))!;
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    if (content === 'library') copyFileSync(loadable, join(folder, name));
    else writeFileSync(join(folder, name), content);
  }
  try {
    prepareCuda('1.30.0', folder, beside);
    const link = readlinkSync(join(beside, 'libonnxruntime_providers_cuda.so'));
    return { message: '', links: [link.replace(folder, '')] };
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'device', String(error));
    return { message: error.message.replaceAll(root, ''), links: [] };
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('no provider: the message has the command that gets it', { skip }, () => {
  const { message } = prepared({});
  assert.match(
    message,
    /^device 'cuda': expected the CUDA provider of ONNX Runtime 1\.30\.0 in \/cuda, found none; run `pip install .*--target \/cuda .*'onnxruntime-gpu\[cuda,cudnn\]==1\.30\.0'`/,
  );
});

test('a provider of another version', { skip }, () => {
  const { message } = prepared({ [provider]: '', 'onnxruntime_gpu-1.29.0.dist-info/METADATA': '' });
  assert.match(
    message,
    /expected the CUDA provider of ONNX Runtime 1\.30\.0 in \/cuda, found that of 1\.29\.0;/,
  );
});

test('a provider without CUDA: all missing libraries have names', { skip }, () => {
  const names = needing('libcurandTest1.so.10', 'libcudartTest1.so.13', 'libc.so.6');
  const { message } = prepared({
    [provider]: names,
    [info]: '',
    'nvidia/cu13/lib/libcurandTest1.so.10': 'library',
  });
  assert.match(message, /found no libcudartTest1\.so\.13, libcudnn\.so\.9; run `pip install/);
});

test('all but the driver, then nothing missing: ONNX Runtime finds the provider by a link', { skip }, () => {
  const libraries = {
    [info]: '',
    'nvidia/cu13/lib/libcudartTest2.so.13': 'library',
    'nvidia/cudnn/lib/libcudnn.so.9': 'library',
    'onnxruntime/capi/libonnxruntime_providers_shared.so': 'library',
  };
  const { links } = prepared({ ...libraries, [provider]: needing('libcudartTest2.so.13') });
  assert.deepEqual(links, [`/${provider}`]);
  if (cudaLibraries().found.includes('libcuda.so.1')) return;
  const { message } = prepared({ ...libraries, [provider]: needing('libcudartTest2.so.13', 'libcuda.so.1') });
  assert.match(
    message,
    /expected NVIDIA's driver, found no libcuda\.so\.1; install NVIDIA's driver, 580 or newer/,
  );
});

test('the folder is in the cache, or where LINCIR_CUDA says', () => {
  assert.equal(cudaFolder({ LINCIR_CACHE: '/cache' }), join(resolve('/cache'), 'cuda'));
  assert.equal(cudaFolder({ LINCIR_CUDA: '/cuda', LINCIR_CACHE: '/cache' }), '/cuda');
});
