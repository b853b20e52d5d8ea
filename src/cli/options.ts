/** Options that several commands have, and how their values are read. */

import { InvalidArgumentError, Option } from 'commander';
import { methodNames, methods } from '../composition/choices.ts';
import { devices, type Precision } from '../onnx/choices.ts';
import { precisions as storedPrecisions } from '../store/choices.ts';

/** A line for each method. */
export const methodLines = methodNames
  .map((name) => `  ${name.padEnd(9)} ${methods[name].description}`)
  .join('\n');

export const modelHelp =
  'a preset (see lincir models), mini, a folder, a .pt file, or OWNER/NAME[@REVISION] on the hub';

export function modelOption(): Option {
  return new Option('--model <model>', modelHelp).makeOptionMandatory();
}

export function indexOption(): Option {
  return new Option(
    '--index <uri>',
    'a path, or s3://…, gs://…, az://…, opensearch://…',
  ).makeOptionMandatory();
}

export function columnOption(): Option {
  const which = 'the first of these that it has, or a number if it has no header (default: text)';
  return new Option('--column <name...>', `column of a table: ${which}`);
}

export function choice(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices);
}

export function deviceOption(): Option {
  return choice('--device <device>', 'where to compute (default: cpu)', devices);
}

export function devicesOption(description: string): Option {
  return new Option('--devices <list>', description).argParser((text) => text.split(','));
}

export function portOption(port: number): Option {
  return new Option('--port <number>', 'the port; 0 takes a free one').argParser(portNumber).default(port);
}

function portNumber(text: string): number {
  if (countNumber(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('It must be a port, from 0 to 65535.');
}

export function threadsOption(): Option {
  const description = 'threads on the CPU (default: one for each core)';
  return new Option('--threads <number>', description).argParser(wholeNumber);
}

export function targetPadOption(): Option {
  return new Option('--target-pad [ratio]', 'pad long images with black to this ratio of their sides')
    .argParser(ratio)
    .preset('1.25');
}

export function maxPixelsOption(): Option {
  const description = 'refuse larger images (default: 200 million)';
  return new Option('--max-pixels <number>', description).argParser(wholeNumber);
}

export function precisionOption(choices: readonly Precision[], extra = '', usual = 'float32'): Option {
  const ofInt8 = choices.includes('int8')
    ? '; int8 encodes images faster on a CPU, and moves them a little'
    : '';
  const description = `number format of matrix products${extra}${ofInt8} (default: ${usual})`;
  return choice('--precision <format>', description, choices);
}

/** Where only images are encoded. */
export const imagePrecisions = ['float32', 'int8'] as const;

export function imagePrecisionOption(): Option {
  return precisionOption(imagePrecisions);
}

export function indexPrecisionOption(): Option {
  const extra = ', where the device has it; float16 and int8 also store vectors as float16';
  return precisionOption([...storedPrecisions, 'int8'], extra, 'float32, or as the index has it');
}

export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
}

export function countNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 0 on, of at most 15 digits.');
}

export function realNumber(text: string): number {
  if (/^\d*\.?\d+(e[+-]?\d+)?$/i.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number, such as 0.01 or 1e-4.');
}

export function signedNumber(text: string): number {
  return text.startsWith('-') ? -realNumber(text.slice(1)) : realNumber(text);
}

export function similarity(text: string): number {
  if (/^(0?\.\d+|[01](\.0+)?)$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a cosine similarity from 0 to 1, such as 0.95.');
}

export function ratio(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) >= 1) return Number(text);
  throw new InvalidArgumentError('It must be a ratio of at least 1, such as 1.25.');
}
