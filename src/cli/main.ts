#!/usr/bin/env node
/** The command line: what can be said to it, and the only place that prints and sets exit codes. */

import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { LincirError } from '../core/index.ts';
import type { Device } from '../onnx/index.ts';
import type { Context } from './context.ts';
import { Reporter } from './progress.ts';

const exitCodes = { failure: 1, usage: 2, interrupted: 130 } as const;

const examples = `
Examples:
  $ lincir models
  $ lincir models pull base
  $ lincir embed --model base --images photos --out photos.safetensors
  $ lincir embed --model base --texts captions.txt --out captions.npy --normalize
  $ echo "a photo of $ that is red" | lincir tokenize --model base

Exit codes: 1 failure in data or environment, 2 wrong usage, 130 interrupted.
Models come from the Hugging Face hub and its cache. The usual variables apply:
HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE.`;

const embedNotes = `
A folder stands for every picture in and under it. An empty line is an empty text.
Names are the pictures' paths, or the texts. They go with the embeddings:
  .safetensors  tensors "embeddings" [count, dimensions], and "names": UTF-8,
                one JSON string a line
  .npy          an array [count, dimensions]; the names are in NAME.names.jsonl,
                one JSON string a line
  .jsonl        one {"name": ..., "embedding": [...]} a line

What is done is kept in OUT.partial until all is: after any interruption the
same command goes on from there.

Examples:
  $ lincir embed --model large --images "photos/**/*.jpg" --out photos.safetensors
  $ lincir embed --model base --images photos cat.png --out photos.npy --skip-broken
  $ lincir embed --model base --texts - --out captions.jsonl < captions.txt`;

const interruption = new AbortController();
const reporter = new Reporter(process.stderr);
const context: Context = {
  print: (line) => process.stdout.write(`${line}\n`),
  reporter,
  signal: interruption.signal,
};

process.once('SIGINT', () => {
  interruption.abort();
  process.once('SIGINT', () => process.exit(exitCodes.interrupted));
});
// Whoever reads the output, such as head, has had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') fail(error);
  process.exit();
});

const program = new Command('lincir')
  .description('Composed image retrieval: a picture and a few words in, the pictures that match both out.')
  .version(packageVersion())
  .option('--debug', 'show where an error comes from, as LINCIR_DEBUG=1 does')
  .configureHelp({ showGlobalOptions: true })
  .configureOutput({ outputError: (text, write) => write(usageError(text)) })
  .exitOverride()
  .addHelpText('after', examples);

program
  .command('embed')
  .description('write the embeddings of pictures or texts to a file')
  .addOption(modelOption())
  .option('--images <pattern...>', 'pictures: paths, folders, or glob patterns')
  .option('--texts <file>', 'a file with one text a line, or - for standard input')
  .requiredOption('--out <file>', 'a .safetensors, .npy or .jsonl file')
  .option('--normalize', 'scale every embedding to length 1')
  .addOption(
    new Option('--device <device>', 'where to compute')
      .choices(['cpu', 'webgpu', 'cuda'] satisfies Device[])
      .default('cpu'),
  )
  .option('--threads <number>', 'threads on the CPU; as many as there are cores if not given', wholeNumber)
  .addOption(
    new Option('--target-pad [ratio]', 'pad long pictures with black to this ratio of their sides')
      .argParser(ratio)
      .preset('1.25'),
  )
  .option('--max-pixels <number>', 'refuse larger pictures; 200 million if not given', wholeNumber)
  .option('--strict', 'refuse texts that are too long, instead of cutting them with a warning')
  .option('--skip-broken', 'leave out pictures that cannot be read, and list them at the end')
  .option('--json', 'print a summary as JSON on standard output')
  .addHelpText('after', embedNotes)
  .action(async (options) => (await import('./embed.ts')).embed(options, context));

program
  .command('tokenize')
  .description('read lines on standard input and print their token ids, one JSON list a line')
  .addOption(modelOption())
  .option('--strict', 'refuse texts that are too long, instead of cutting them with a warning')
  .action(async (options) => (await import('./tokenize.ts')).tokenize(options, context));

const models = program
  .command('models')
  .description('list the presets and the models in the cache')
  .option('--json', 'print JSON')
  .action(async (options) => (await import('./models.ts')).listModels(options, context));

models
  .command('pull')
  .description('download a model, or what is new of it')
  .argument('<model>', 'a preset, or OWNER/NAME[@REVISION] on the hub')
  .action(async (model, _, command) =>
    (await import('./models.ts')).pull(model, command.optsWithGlobals(), context),
  );

try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}

/** Prints an error as one line and sets the exit code. The process ends by itself when all output is written. */
function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    // Commander has printed what there is to say.
    process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
    return;
  }
  reporter.end();
  if (interruption.signal.aborted) {
    reporter.note('lincir: interrupted');
    process.exitCode = exitCodes.interrupted;
    return;
  }
  const isUsage = error instanceof LincirError && error.code === 'bad-argument';
  process.exitCode = isUsage ? exitCodes.usage : exitCodes.failure;
  const message = error instanceof Error ? error.message : String(error);
  reporter.note(`lincir: ${message.replaceAll(/\s*\n\s*/g, ' ')}`);
  if (program.opts().debug || process.env.LINCIR_DEBUG === '1') reporter.note(inspect(error));
}

/** Commander's message as one line of ours. */
function usageError(text: string): string {
  return `${text
    .trim()
    .replace(/^error: /, 'lincir: ')
    .replaceAll(/\s*\n\s*/g, ' ')}\n`;
}

function modelOption(): Option {
  return new Option(
    '--model <model>',
    'a preset (see lincir models), a folder, or OWNER/NAME[@REVISION] on the hub',
  ).makeOptionMandatory();
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
}

function ratio(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) >= 1) return Number(text);
  throw new InvalidArgumentError('It must be a ratio of at least 1, such as 1.25.');
}

function packageVersion(): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return version;
}
