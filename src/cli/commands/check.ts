/** `lincir check`: what this machine has, what it lacks, and whether a device computes what the CPU computes. */

import { describeMachine, type Machine, type Proof, productSpeed, proveDevice } from '../../check/index.ts';
import { formatBytes, LincirError, option } from '../../core/index.ts';
import type { Device, Precision, SessionOptions } from '../../onnx/index.ts';
import { cudaFolder } from '../../runtime/index.ts';
import type { Context } from '../context.ts';
import { aligned } from '../terminal/columns.ts';

interface CheckOptions {
  readonly device?: Device;
  readonly precision?: Precision;
  readonly model?: string;
  readonly threads?: number;
  readonly json?: boolean;
  /** Of lincir. */
  readonly version: string;
}

export async function check(options: CheckOptions, { print }: Context): Promise<void> {
  const { device = 'cpu', precision = 'float32', model = 'mini', threads, json, version } = options;
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
  if (json) print(JSON.stringify({ lincir: version, machine, device, precision, model, proofs, speed }));
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

function isRight({ error, bound }: Proof): boolean {
  return error <= bound;
}

function row(proof: Proof): string[] {
  const { what, error, bound } = proof;
  return [what, error.toExponential(1), bound.toExponential(0), isRight(proof) ? 'right' : 'wrong'];
}
