/** `lincir check`: what this machine has, and whether a device and a model compute what they should. */

import { resolve } from 'node:path';
import {
  describeMachine,
  type EightBitLoss,
  eightBitLoss,
  leastOfEightBits,
  type Machine,
  type Offer,
  type Proof,
  productSpeed,
  proveDevice,
  readableImages,
} from '../../check/index.ts';
import { formatBytes, formatCounted, LincirError, option } from '../../core/index.ts';
import type { Device, Precision, SessionOptions } from '../../onnx/index.ts';
import { cudaFolder } from '../../runtime/index.ts';
import { checkFigures, type FiguresOptions } from '../check/figures.ts';
import { knownValues, type ValuesOptions } from '../check/values.ts';
import type { Context } from '../context.ts';
import { listImages } from '../embed/pictures.ts';
import { refuseBeside, refuseIdle } from '../idle-options.ts';
import { aligned } from '../terminal/columns.ts';

interface CheckOptions extends ValuesOptions, Partial<Pick<FiguresOptions, 'phi' | 'data' | 'out'>> {
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

export async function check(options: CheckOptions, context: Context): Promise<void> {
  const { print, reporter } = context;
  const { device = 'cpu', precision = 'float32', model = 'mini', threads, json, version } = options;
  const { published, pictures, values, record, phi, data, out } = options;
  refuseIdle([
    ['--data', data, phi !== undefined, '--phi as well'],
    ['--out', out, phi !== undefined, '--phi as well'],
    ['--phi', phi, data !== undefined, '--data as well'],
  ]);
  if (phi !== undefined && data !== undefined) {
    refuseBeside(
      '--phi',
      { published, pictures, record, images: options.images, precision: options.precision },
      {
        expected: 'a benchmark alone',
        todo: 'leave it out',
      },
    );
    return await checkFigures({ ...options, phi, data }, context);
  }
  const ofPublished = values === undefined && record === undefined;
  refuseIdle([
    [
      '--images',
      options.images,
      precision === 'int8' || record !== undefined,
      '--precision int8 as well, or --record',
    ],
    ['--published', published, ofPublished, 'neither --values nor --record'],
    ['--pictures', pictures, ofPublished, 'neither --values nor --record'],
    ['--values', values, record === undefined, 'no --record'],
    ['--record', record, options.images !== undefined, '--images as well'],
  ]);
  const skipped = (path: string, reason: string) => reporter.note(`broken: ${path}: ${reason}`);
  const listed = options.images && (await listedOnce(options.images, skipped));
  const images =
    precision === 'int8'
      ? await readableImages(model, listed, ({ problem: { subject, expected, found } }) =>
          skipped(subject, `expected ${expected}, found ${found}`),
        )
      : undefined;
  const tell = (line: string): void => {
    if (!json) print(line);
  };
  const machine = describeMachine();
  for (const line of aligned(facts(machine, version, device), 'left')) tell(line);
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
  if (int8) for (const line of ['', ...aligned(lossTable(int8), 'left')]) tell(line);
  const isCompared = options.model !== undefined || values !== undefined || record !== undefined;
  const given = { model, device, threads, images: listed, version };
  const known = isCompared ? await knownValues(options, given, context, tell) : undefined;
  if (json) {
    const compared = known && {
      values: known.checked.map(({ problem, ...row }) => ({ ...row, problem: problem?.message })),
    };
    print(
      JSON.stringify({
        lincir: version,
        machine,
        device,
        precision,
        model,
        proofs,
        speed,
        int8,
        ...compared,
      }),
    );
  }
  const wrong = proofs.filter((proof) => !isRight(proof));
  const lost = int8 ? lossesOf(int8).filter(({ isKept }) => !isKept) : [];
  if (wrong.length + lost.length === 0) {
    tell(`\n${verdict(device, precision)}`);
    if (known?.error) throw known.error;
    return;
  }
  if (precision === 'int8' && wrong.every(({ what }) => what === 'image embeddings')) {
    throw new LincirError('device', {
      subject: `model '${model}' in int8`,
      expected: 'embeddings of images close to those in float32',
      found: [
        ...wrong.map(({ what, error }) => `an error of ${error.toPrecision(2)} in ${what}`),
        ...lost.map(({ what, found }) => `${what}: ${found}`),
      ].join(', '),
      todo: `use ${option<SessionOptions>('precision', 'float32')} for this model`,
    });
  }
  throw new LincirError('device', {
    subject: `device '${device}'`,
    expected: 'what the CPU computes',
    found: wrong.map(({ what, error }) => `an error of ${error.toPrecision(2)} in ${what}`).join(', '),
    todo: `bring its driver up to date, or use ${option<SessionOptions>('device', 'cpu')}`,
  });
}

function facts({ processor, ...machine }: Machine, version: string, asked: Device): string[][] {
  const { name, cores, instructions } = processor;
  const gpus = [...machine.nvidia, ...(machine.vulkan ?? [])];
  return [
    ['lincir', `${version}, ONNX Runtime ${machine.onnxRuntime}, Node ${machine.node}, ${machine.platform}`],
    ['processor', `${name}, ${cores} cores${instructions ? `: ${instructions.join(', ')}` : ''}`],
    ['memory', formatBytes(machine.memoryBytes)],
    ...Object.entries(machine.devices).map(([device, offer]) => [device, offered(device, offer, asked)]),
    ...(gpus.length === 0 ? [['GPUs', 'none that nvidia-smi or vulkaninfo lists']] : []),
    ...machine.nvidia.map(({ name: gpu, driver, memory }) => [
      'NVIDIA',
      `${gpu}, ${formatBytes(memory ?? 0)}, driver ${driver}`,
    ]),
    ...(machine.vulkan ?? []).map(({ name: gpu, driver }) => ['Vulkan', driver ? `${gpu}, ${driver}` : gpu]),
    ...(machine.cuda ? [['CUDA', cudaFacts(machine.cuda)]] : []),
  ];
}

/** What can be used here, apart from what this build of ONNX Runtime could use elsewhere. */
function offered(device: string, { state, lacks, precisions }: Offer, asked: Device): string {
  const formats = precisions.join(', ');
  if (state === 'usable') return formats;
  const tried = device === asked ? 'tried below' : `not tried: lincir check --device ${device} does`;
  return `${state === 'missing' ? `not usable here: ${lacks}` : tried} (this build of ONNX Runtime has ${formats})`;
}

function verdict(device: Device, precision: Precision): string {
  if (precision === 'int8') {
    return 'In int8, the CPU encodes images as it does in float32, within these bounds. Texts stay float32.';
  }
  if (device === 'cpu' && precision === 'float32') {
    return 'With the threads that it uses, the CPU computes what one thread computes.';
  }
  const subject = device === 'cpu' ? 'the CPU' : `the device '${device}'`;
  return `In ${precision}, ${subject} computes what the CPU computes in float32, within these bounds.`;
}

/** The images that the patterns name, each once, even where it is named in two ways. */
async function listedOnce(
  patterns: readonly string[],
  skipped: (path: string, reason: string) => void,
): Promise<string[]> {
  const names = await listImages(patterns, { onUnreadable: ({ path, reason }) => skipped(path, reason) });
  return [...new Map(names.map((name) => [resolve(name), name])).values()];
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

interface Loss {
  readonly what: string;
  readonly found: string;
  readonly isKept: boolean;
}

/** What int8 may lose only so much of. */
function lossesOf({ cosine, overlap, neighbours }: EightBitLoss): Loss[] {
  const { mean, worst } = cosine;
  const least = leastOfEightBits;
  return [
    {
      what: 'cosine',
      found: `${mean.toFixed(4)} on average, ${worst.toFixed(4)} at worst`,
      isKept: worst >= least.cosine,
    },
    ...(overlap === undefined
      ? []
      : [
          {
            what: `same among ${neighbours} nearest`,
            found: `${(100 * overlap).toFixed(0)} %`,
            isKept: overlap >= least.overlap,
          },
        ]),
  ];
}

function lossTable(loss: EightBitLoss): string[][] {
  const { images, exact, speedup, preparation } = loss;
  const least = [`at least ${leastOfEightBits.cosine}`, `at least ${100 * leastOfEightBits.overlap} %`];
  return [
    ['int8 against float32', formatCounted(images, 'images'), '', ''],
    ...lossesOf(loss).map(({ what, found, isKept }, at) => [
      what,
      found,
      least[at]!,
      isKept ? 'right' : 'wrong',
    ]),
    ['products in float32', exact.join(', ') || 'none', '', ''],
    ['speed', `${speedup.toFixed(1)} times that of float32`, '', ''],
    ['preparation', `${preparation.toFixed(1)} s, each time that the model is loaded`, '', ''],
  ];
}

function isRight({ error, bound }: Proof): boolean {
  return error <= bound;
}

function row(proof: Proof): string[] {
  const { what, error, bound } = proof;
  return [what, error.toExponential(1), bound.toExponential(0), isRight(proof) ? 'right' : 'wrong'];
}
