/** `lincir check`: what this machine has, what it lacks, and whether a device computes what the CPU computes. */

import {
  describeMachine,
  type EightBitLoss,
  eightBitLoss,
  type Machine,
  type Proof,
  productSpeed,
  proveDevice,
} from '../../check/index.ts';
import { formatBytes, LincirError, option } from '../../core/index.ts';
import type { Device, Precision, SessionOptions } from '../../onnx/index.ts';
import type { Unreadable } from '../../pictures/index.ts';
import { cudaFolder } from '../../runtime/index.ts';
import type { Context } from '../context.ts';
import { listImages } from '../embed/pictures.ts';
import { refuseIdle } from '../idle-options.ts';
import { aligned } from '../terminal/columns.ts';

interface CheckOptions {
  readonly device?: Device;
  readonly precision?: Precision;
  readonly model?: string;
  readonly threads?: number;
  /** Paths, folders and glob patterns. */
  readonly images?: readonly string[];
  readonly json?: boolean;
  /** Of lincir. */
  readonly version: string;
}

export async function check(options: CheckOptions, { print }: Context): Promise<void> {
  const { device = 'cpu', precision = 'float32', model = 'mini', threads, json, version } = options;
  refuseIdle([['--images', options.images, precision === 'int8', '--precision int8 as well']]);
  const images = options.images && (await listImages(options.images, { onUnreadable: refuseImage }));
  const tell = (line: string) => json || print(line);
  const machine = describeMachine();
  for (const line of aligned(facts(machine, version), 'left')) tell(line);
  tell('');

  const proofs = await proveDevice({ device, precision, model, threads });
  const head = [`${device}, ${precision}, ${model}`, 'error', 'at most', ''];
  for (const line of aligned([head, ...proofs.map(row)])) tell(line);
  const speed = await productSpeed({
    device,
    threads,
    precision: precision === 'int8' ? undefined : precision,
  });
  tell(
    `\nProducts of ${speed.size} x ${speed.size} matrices: ${Number(speed.gflops.toPrecision(3)).toLocaleString('en')} GFLOP/s`,
  );
  const int8 = precision === 'int8' ? await eightBitLoss({ model, images, threads }) : undefined;
  if (int8) for (const line of ['', ...aligned(lossOf(int8), 'left')]) tell(line);
  if (json)
    print(JSON.stringify({ lincir: version, machine, device, precision, model, proofs, speed, int8 }));
  const wrong = proofs.filter((proof) => !isRight(proof));
  if (wrong.length === 0) {
    tell(`The device '${device}' computes what the CPU computes.`);
    return;
  }
  throw new LincirError('device', {
    subject: `device '${device}'`,
    expected: 'what the CPU computes',
    found: wrong.map(({ what, error }) => `an error of ${error.toPrecision(2)} in ${what}`).join(', '),
    todo: `bring its driver up to date, or use ${option<SessionOptions>('device', 'cpu')}`,
  });
}

function facts({ processor, ...machine }: Machine, version: string): string[][] {
  const { name, cores, instructions } = processor;
  const gpus = [...machine.nvidia, ...(machine.vulkan ?? [])];
  return [
    ['lincir', `${version}, ONNX Runtime ${machine.onnxRuntime}, Node ${machine.node}, ${machine.platform}`],
    ['processor', `${name}, ${cores} cores${instructions ? `: ${instructions.join(', ')}` : ''}`],
    ['memory', formatBytes(machine.memoryBytes)],
    ...Object.entries(machine.devices).map(([device, offered]) => [device, offered.join(', ')]),
    ...(gpus.length === 0 ? [['GPUs', 'none that nvidia-smi or vulkaninfo lists']] : []),
    ...machine.nvidia.map(({ name: gpu, driver, memory }) => [
      'NVIDIA',
      `${gpu}, ${formatBytes(memory ?? 0)}, driver ${driver}`,
    ]),
    ...(machine.vulkan ?? []).map(({ name: gpu, driver }) => ['Vulkan', `${gpu}, ${driver}`]),
    ...(machine.cuda ? [['CUDA', cudaFacts(machine.cuda)]] : []),
  ];
}

function cudaFacts({ provider, found, missing }: NonNullable<Machine['cuda']>): string {
  if (provider === undefined) return `no provider in ${cudaFolder()}`;
  return [
    `found ${['the provider', ...found].join(', ')}`,
    missing.length > 0 && `missing ${missing.join(', ')}`,
  ]
    .filter(Boolean)
    .join('; ');
}

function refuseImage({ path, reason }: Unreadable): never {
  throw new LincirError('bad-file', {
    ...{ subject: path, expected: 'an image or folder that can be read', found: reason },
  });
}

function lossOf({
  images,
  cosine,
  overlap,
  neighbours,
  exact,
  speedup,
  preparation,
}: EightBitLoss): string[][] {
  return [
    ['int8 against float32', `${images} images`],
    ['cosine', `${cosine.mean.toFixed(4)} on average, ${cosine.worst.toFixed(4)} at worst`],
    ...(overlap === undefined
      ? []
      : [[`same among ${neighbours} nearest`, `${(100 * overlap).toFixed(0)} %`]]),
    ['products in float32', exact.join(', ') || 'none'],
    ['speed', `${speedup.toFixed(1)} times that of float32`],
    ['preparation', `${preparation.toFixed(1)} s, each time that the model is loaded`],
  ];
}

function isRight({ error, bound }: Proof): boolean {
  return error <= bound;
}

function row(proof: Proof): string[] {
  const { what, error, bound } = proof;
  return [what, error.toExponential(1), bound.toExponential(0), isRight(proof) ? 'right' : 'wrong'];
}
