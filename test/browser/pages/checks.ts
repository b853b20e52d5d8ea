/** What the engine's tests let a worker do in a browser: the same as they do on Node. */

import { type BrowserWork, openWork } from '../../../bench/browser/work.ts';
import { blobHash } from '../../../src/browser/blob-hash.ts';
import { blockLength } from '../../../src/browser/blocks.ts';
import { decodeWindow } from '../../../src/browser/decode.ts';
import { configureRuntime, mostThreads, webgpuAdapter } from '../../../src/browser/runtime.ts';
import { loadClip } from '../../../src/clip/index.ts';
import type { ModelFiles, StoredTensor } from '../../../src/core/index.ts';
import {
  constant,
  expand,
  input,
  mul,
  multiHeadAttention,
  Session,
  weight,
} from '../../../src/onnx/index.ts';
import { defaultMaxPixels } from '../../../src/pixels/index.ts';
import { expectEngineAgrees } from '../../graph-checks.ts';
import { operatorCases } from '../../operator-cases.ts';
import { computed } from '../../portable/computing.ts';
import { towerErrors } from '../../reference.ts';
import { trainingErrors } from '../../training-reference.ts';
import { type Checks, type FilePaths, smallWindow } from '../checks.ts';
import { folderFiles } from './files.ts';

let work: BrowserWork | undefined;

export const checks: Checks = {
  facts: async () => ({ threads: mostThreads(), adapter: await webgpuAdapter() }),

  async configure({ file, asBytes = false, threads }) {
    const cpu = asBytes ? await (await fetch(file!)).arrayBuffer() : file;
    configureRuntime({ ...(cpu && { wasm: { cpu } }), ...(threads && { threads }) });
  },

  async limitMemory(pages) {
    WebAssembly.Memory = class extends WebAssembly.Memory {
      constructor(wanted: WebAssembly.MemoryDescriptor) {
        if (wanted.shared && wanted.maximum! > pages) throw new RangeError('Out of memory');
        super(wanted);
      }
    };
  },

  async tiny(options) {
    const session = await Session.create({ y: doubled() }, options);
    const y = await doubleOf(session, 4);
    await session.dispose();
    return y;
  },

  async atOnce(options) {
    const sessions = [await Session.create({ y: doubled() }, options)];
    sessions.push(await Session.create({ y: doubled() }, options));
    const runs = Array.from({ length: 8 }, (_, at) => doubleOf(sessions[at % 2]!, at));
    const found = await Promise.all(runs);
    for (const session of sessions) await session.dispose();
    return found;
  },

  async lose(isRunning) {
    const requestDevice = GPUAdapter.prototype.requestDevice;
    let device: GPUDevice | undefined;
    GPUAdapter.prototype.requestDevice = async function (...given) {
      device = await requestDevice.apply(this, given);
      return device;
    };
    const session = await Session.create({ y: doubled() }, { device: 'webgpu' });
    await doubleOf(session, 4);
    const running = isRunning && doubleOf(session, 4);
    device!.destroy();
    if (!running) await device!.lost;
    try {
      return await (running || doubleOf(session, 4));
    } finally {
      await session.dispose();
    }
  },

  async large(values, options) {
    const session = await Session.create({ y: expand(input('x', 'float32', [1]), [values]) }, options);
    return await doubleOf(session, 4);
  },

  async heavy(values) {
    const read = () => Promise.reject(new Error('it was read'));
    const source = { name: 'heavy', size: values * 4, read };
    const stored: StoredTensor = {
      ...{ name: 'w', source, offset: 0, byteLength: values * 4, type: 'float32', shape: [values] },
    };
    await Session.create({ y: mul(input('x', 'float32', [1]), weight(stored)) });
  },

  async decodeWithin(path, bytes) {
    const { Uint8Array: All } = globalThis;
    const file = await fileAt(path);
    globalThis.Uint8Array = new Proxy(All, {
      construct(target, given) {
        if (given[0] > bytes) throw new RangeError('Array buffer allocation failed');
        return Reflect.construct(target, given);
      },
    });
    try {
      await decodeWindow(file, { ...smallWindow, isStored: false }, 'image', defaultMaxPixels);
    } finally {
      globalThis.Uint8Array = All;
    }
  },

  async hold(options) {
    await Session.create({ y: constant(1) }, options);
  },

  async operator(name, tolerance, options) {
    for (const build of operatorCases[name]) await expectEngineAgrees(build, tolerance, options);
  },

  async attention(positions, tolerance, options) {
    await expectEngineAgrees(
      (x) => {
        const one = () => x.real(['n', positions, 16]);
        return multiHeadAttention([one(), one(), one(), x.real([1, 1, positions, positions])], 2, 0.4);
      },
      tolerance,
      options,
    );
  },

  async decode(image, { isStored, maxPixels = defaultMaxPixels }) {
    const source = 'path' in image ? await fileAt(image.path) : new Uint8Array(image.bytes);
    const { data, whole } = await decodeWindow(source, { ...smallWindow, isStored }, 'image', maxPixels);
    return { data: [...data], whole: whole! };
  },

  async images(files, paths) {
    const clip = await loadClip(folderOf(files));
    const photos = await Promise.all(paths.map(fileAt));
    const { shape, data } = await clip.encodeImages(photos);
    await clip.dispose();
    const width = shape[1]!;
    return photos.map((_, at) => [...data.subarray(at * width, (at + 1) * width)]);
  },

  async openWork(files, captions, options) {
    work = await openWork(folderOf(files), captions, options);
  },

  async timeWork(task) {
    const start = performance.now();
    await work!.run(task);
    return (performance.now() - start) / 1000;
  },

  workResult: async (task) => [...(await work!.run(task))],

  async timeHash(bytes) {
    const block = new Uint8Array(blockLength);
    const start = performance.now();
    const hash = await blobHash('0'.repeat(64), bytes);
    for (let at = 0; at < bytes; at += blockLength) hash.update(block.subarray(0, bytes - at));
    hash.digest();
    return (performance.now() - start) / 1000;
  },

  towers: towerErrors,
  training: trainingErrors,

  async computed(files, options) {
    const given = Object.entries(files).map(async ([name, path]) => {
      return [name, new Uint8Array(await (await fileAt(path)).arrayBuffer())] as const;
    });
    const { fingerprint, values } = await computed(Object.fromEntries(await Promise.all(given)), options);
    return {
      fingerprint,
      values: Object.fromEntries(Object.entries(values).map(([name, floats]) => [name, [...floats]])),
    };
  },
};

/** A file of the repository, or at an absolute path of the server, with its name. */
async function fileAt(path: string): Promise<File> {
  const response = await fetch(new URL(path, new URL('/repository/', import.meta.url)));
  return new File([await response.blob()], path.slice(path.lastIndexOf('/') + 1));
}

function folderOf(files: FilePaths): ModelFiles {
  const first = Object.values(files)[0]!;
  return folderFiles(first.slice(0, first.lastIndexOf('/')));
}

const doubled = () => mul(input('x', 'float32', ['n']), constant(2));

async function doubleOf(session: Session, x: number): Promise<number> {
  const { y } = await session.run<'y'>({ x: { shape: [1], data: Float32Array.of(x) } });
  return y.data[0]!;
}
