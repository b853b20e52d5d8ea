#!/usr/bin/env node
/** The command line: its commands and options. Only this file prints and sets exit codes. */

import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { inspect } from 'node:util';
import { Command, CommanderError } from 'commander';
import { maskings } from '../captions/choices.ts';
import { methodNames, methods, weightedMethods } from '../composition/choices.ts';
import { LincirError } from '../core/index.ts';
import { comparisons } from '../indexing/choices.ts';
import { floatPrecisions } from '../onnx/choices.ts';
import { phiArchitectures, schedules } from '../phi/choices.ts';
import { checkCommand } from './check/command.ts';
import type { Context } from './context.ts';
import { evaluationCommands } from './evaluation/commands.ts';
import { inFlags } from './flags.ts';
import {
  embedNotes,
  examples,
  indexNotes,
  keywordsNotes,
  reindexNotes,
  searchNotes,
  trainNotes,
} from './help.ts';
import { hubCommands } from './hub/commands.ts';
import {
  choice,
  columnOption,
  countNumber,
  deviceOption,
  devicesOption,
  imagePrecisionOption,
  indexOption,
  indexPrecisionOption,
  maxPixelsOption,
  modelHelp,
  modelOption,
  precisionOption,
  realNumber,
  signedNumber,
  similarity,
  targetPadOption,
  threadsOption,
  wholeNumber,
} from './options.ts';
import { refuseTwice } from './repeated-options.ts';
import { servingCommands } from './serving/commands.ts';
import { shardOption } from './sharding/shard-option.ts';
import { Reporter } from './terminal/progress.ts';
import { tellWarnings } from './terminal/warnings.ts';

enableCompileCache(); // Compiling the libraries takes longer than most commands run.

const exitCodes = { failure: 1, usage: 2 } as const;
/** Signals that interrupt, with the exit codes that shells use for them: Ctrl-C, kill or a shutdown, a closed terminal. */
const interruptedCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const interruption = new AbortController();
const reporter = new Reporter(process.stderr);
tellWarnings(reporter);
let running: Command | undefined;
const context: Context = {
  print: (line) => process.stdout.write(`${line}\n`),
  reporter,
  told: (message) => (running ? inFlags(message, running) : message),
  signal: interruption.signal,
};

/** Milliseconds that a command has to end in order, after a signal that may not come again. */
const patience = 30_000;
let interruptedCode: number | undefined;
for (const [signal, code] of Object.entries(interruptedCodes)) {
  process.on(signal, () => {
    // The signal's default ends the process at once.
    const end = () => {
      process.emit('exit', code); // for the processes that this one has started: a signal emits none
      process.removeAllListeners(signal).kill(process.pid, signal);
    };
    if (interruption.signal.aborted) end();
    else if (signal !== 'SIGINT') setTimeout(end, patience).unref();
    interruptedCode = code;
    interruption.abort();
  });
}
// A closed terminal takes no messages. That is no reason to lose work.
process.stderr.on('error', () => {});
// The reader of the output, such as head, has closed it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') fail(error);
  process.exit();
});

const program = new Command('lincir')
  .description('Composed image retrieval: finds images with an image and a few words.')
  .version(packageVersion())
  .option('--debug', 'show where an error comes from, as LINCIR_DEBUG=1 does')
  .configureHelp({ showGlobalOptions: true })
  .configureOutput({ outputError: (text, write) => write(usageError(text)) })
  .exitOverride()
  .hook('preAction', (_, command) => {
    running = command;
    const { device, precision } = command.opts();
    // For threads, whose environment is a copy. See runtime/tf32.ts.
    if (device === 'cuda' && precision !== 'tf32') process.env.NVIDIA_TF32_OVERRIDE = '0';
  })
  .addHelpText('after', examples);

program
  .command('embed')
  .description('write the embeddings of images or texts to a file')
  .addOption(modelOption())
  .option('--images <pattern...>', 'images: paths, folders, or glob patterns')
  .option('--texts <file>', 'a file with a text on every line, or - for standard input')
  .requiredOption('--out <file>', 'a .safetensors, .npy or .jsonl file')
  .option('--normalize', 'scale every embedding to length 1')
  .addOption(imagePrecisionOption())
  .addOption(deviceOption())
  .addOption(threadsOption())
  .addOption(targetPadOption())
  .addOption(maxPixelsOption())
  .option('--strict', 'refuse texts that are too long; without it, cut them and warn')
  .option('--skip-broken', 'leave out images that cannot be read, and list them at the end')
  .addOption(shardOption('the images'))
  .option('--json', 'print a summary, as JSON')
  .addHelpText('after', embedNotes)
  .action(async (options) => (await import('./commands/embed.ts')).embed(options, context));

program
  .command('index')
  .description('bring an index of images up to date with folders, files and shards')
  .argument('[image...]', 'folders, image files, WebDataset shards (.tar), s3:// addresses')
  .addOption(indexOption())
  .option('--model <model>', `${modelHelp} (default: the index's own)`)
  .option(
    '--list <file...>',
    'files with a path on every line, or with zero bytes between paths; - for standard input',
  )
  .option('--embeddings <file...>', 'ready embeddings: .npy or .safetensors')
  .option('--names <file...>', 'files with the names of their rows, a name on every line')
  .option('--metadata <file...>', 'tables with columns to filter by: .csv, .tsv, .jsonl or .parquet')
  .option(
    '--metadata-key <column>',
    "the table's column of image paths (default: path, file, name, key or id)",
  )
  .option('--exclude <pattern...>', 'leave out files and folders that match: names, or paths below a folder')
  .option('--follow-links', 'follow symbolic links')
  .option('--remove <name...>', 'take out images, by id or path, and records of sources; files stay')
  .option('--remove-missing', 'take out what is gone, even if so much is gone that a disk may be missing')
  .option(
    '--keep-missing <days>',
    'keep ids and metadata of what is gone for so long (default: 30)',
    countNumber,
  )
  .addOption(choice('--compare <what>', 'what tells that a file is unchanged (default: times)', comparisons))
  .option('--watch', 'stay, and keep the index up to date with every change')
  .option(
    '--poll <seconds>',
    'look for changes so often, where the system does not report them (default: 60)',
    wholeNumber,
  )
  .option('--stats', 'show what is in the index, and all broken images')
  .addOption(shardOption('the sources'))
  .option('--status', 'show how far the workers of all shards are')
  .addOption(indexPrecisionOption())
  .addOption(deviceOption())
  .addOption(threadsOption())
  .addOption(targetPadOption())
  .addOption(maxPixelsOption())
  .option('--json', 'print what was done, as JSON')
  .addHelpText('after', indexNotes)
  .action(async (pictures, options) =>
    (await import('./commands/index.ts')).index(pictures, options, context),
  );

program
  .command('reindex')
  .description('rebuild an index for another model or precision, while the old one stays in use')
  .addOption(indexOption())
  .option('--model <model>', `${modelHelp} (default: the index's own)`)
  .addOption(indexPrecisionOption())
  .addOption(deviceOption())
  .addOption(threadsOption())
  .addOption(targetPadOption())
  .addOption(maxPixelsOption())
  .option('--json', 'print what was done, as JSON')
  .addHelpText('after', reindexNotes)
  .action(async (options) => (await import('./commands/index.ts')).rebuild(options, context));

program
  .command('search')
  .description('find the images that match images and words')
  .addOption(indexOption())
  .option(
    '--image <image...>',
    'a file, - for standard input, a web address, or the id or path of an indexed image',
  )
  .option('--text <prompt>', 'what should be different, or a whole prompt with $')
  .option(
    '--phi <phi>',
    "what turns images into pseudo tokens: a run's folder, a file, or a published phi such as lincir-large",
  )
  .option('--without <text>', 'what you do not want')
  .option('--without-weight <number>', 'how much of it is subtracted (default: 0.5)', realNumber)
  .addOption(
    choice(
      '--method <name>',
      'how to compose (default: lincir for images with words, else what you give)',
      methodNames,
    ),
  )
  .option(
    '--weight <number>',
    `weight of the text in ${weightedMethods.map((name) => `${name} (default: ${methods[name].weight!.default})`).join(' and ')}`,
    realNumber,
  )
  .option('--where <filter>', 'rank only images that pass')
  .option('--top <number>', 'number of results', wholeNumber, 10)
  .option('--page <number>', 'which page of results', wholeNumber, 1)
  .option('--min-score <number>', 'leave out results that are less similar', signedNumber)
  .option(
    '--unique [similarity]',
    'show duplicates once: same contents, or at least this cosine similarity',
    similarity,
  )
  .option('--include-reference', "keep the query's own images in the results")
  .option('--exact', 'compare with every image, however long it takes')
  .option('--model <model>', "the index's model, if it is not where it was")
  .option('--allow-private', 'also fetch images from loopback and private addresses')
  .addOption(deviceOption())
  .addOption(threadsOption())
  .option('--interactive', 'keep everything loaded, and search line by line')
  .option('--paths', 'print bare paths, one a line')
  .option('--null', 'print bare paths, each ended by a zero byte, for xargs -0')
  .option('--json', 'print the results as JSON')
  .option('--html [file]', 'write a page with the images')
  .option('--open', 'open the page')
  .option('--preview', 'show the images in the terminal (kitty, iTerm2, sixel)')
  .option('--timings', 'show how long each stage took')
  .addHelpText('after', searchNotes)
  .action(async (options) => (await import('./commands/search.ts')).search(options, context));

program
  .command('tokenize')
  .description('read lines on standard input, and print a JSON list of token ids for each')
  .addOption(modelOption())
  .option('--strict', 'refuse texts that are too long; without it, cut them and warn')
  .action(async (options) => (await import('./commands/tokenize.ts')).tokenize(options, context));

program
  .command('keywords')
  .description('show what training would mask in captions; needs no model')
  .argument('[source...]', 'sources of captions, as for --captions')
  .option('--captions <source...>', 'files, glob patterns, or hub data sets; - for standard input')
  .addOption(columnOption())
  .addOption(choice('--masking <rule>', 'how keywords are masked', maskings).default('spans'))
  .option('--limit <number>', 'stop after so many captions', wholeNumber)
  .option('--seed <number>', 'seed of the random words of --masking official', countNumber, 0)
  .option('--json', 'print a JSON object a line: caption, cleaned, keywords, masked, fallback')
  .addHelpText('after', keywordsNotes)
  .action(async (sources, options) =>
    (await import('./commands/keywords.ts')).keywords(sources, options, context),
  );

program
  .command('train')
  .description('train phi, which turns images into pseudo tokens, on captions alone')
  .option('--model <model>', modelHelp)
  .option('--captions <source...>', 'what to train on: files, patterns, hub data sets')
  .addOption(columnOption())
  .option('--out <run>', 'a new folder for the run')
  .option('--resume <run>', 'the folder of a run to continue, with its own settings')
  .option('--steps <number>', 'steps of training (default: 20,000)', wholeNumber)
  .option('--batch <number>', 'captions of one pass (default: 512)', wholeNumber)
  .option('--accumulation <number>', 'passes of one step (default: 1)', wholeNumber)
  .option('--learning-rate <number>', 'learning rate (default: 1e-4)', realNumber)
  .addOption(choice('--schedule <name>', 'schedule of the learning rate (default: constant)', schedules))
  .option('--warmup <number>', 'steps in which the learning rate rises', countNumber)
  .option('--cycles <number>', 'cycles of the schedule cosine-restarts', wholeNumber)
  .option('--power <number>', 'power of the schedule polynomial', realNumber)
  .option('--weight-decay <number>', 'weight decay of AdamW (default: 0.01)', realNumber)
  .option('--beta1 <number>', 'beta1 of AdamW (default: 0.9)', realNumber)
  .option('--beta2 <number>', 'beta2 of AdamW (default: 0.999)', realNumber)
  .option('--epsilon <number>', 'epsilon of AdamW (default: 1e-8)', realNumber)
  .option('--clip-norm <number>', 'scale gradients that are longer down to this length', realNumber)
  .option('--ema', 'also keep a moving average of phi')
  .addOption(
    choice('--masking <rule>', 'how keywords are masked; see lincir keywords (default: spans)', maskings),
  )
  .addOption(choice('--architecture <name>', 'architecture of phi (default: lincir)', phiArchitectures))
  .option('--noise <number>', 'strength of the noise (default: 1)', realNumber)
  .option('--dropout <number>', "dropout of phi (default: the architecture's own)", realNumber)
  .option('--l2-normalize', 'scale embeddings to length 1 before phi')
  .option('--seed <number>', 'seed of all random numbers (default: 0)', countNumber)
  .option(
    '--validate <what...>',
    'captions:FILE, with captions that training does not see, or BENCHMARK:FOLDER',
  )
  .option('--validate-every <number>', 'steps between validations (default: 1,000)', wholeNumber)
  .option(
    '--save-every <number>',
    'steps between saves, which also come every five minutes (default: 1,000)',
    wholeNumber,
  )
  .addOption(precisionOption(floatPrecisions))
  .addOption(deviceOption())
  .addOption(devicesOption('several devices: 0,1,2,3 or cpu:2, and http:// addresses of lincir lend'))
  .option('--api-key-file <file>', 'the key of the machines at these addresses')
  .addOption(threadsOption())
  .option('--embedding-cache <gibibytes>', 'disk for the embeddings of captions (default: 4)', realNumber)
  .option(
    '--positions-per-run <number>',
    'tokens computed at once (default: 1,024; on a GPU more, by its memory)',
    wholeNumber,
  )
  .option('--json', 'print every event as a line of JSON')
  .addHelpText('after', trainNotes)
  .action(async (options) => (await import('./commands/train.ts')).train(options, context));

evaluationCommands(program, context);
servingCommands(program, context);

hubCommands(program, context);

checkCommand(program, context);

refuseTwice(program);
try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}

/** Prints an error as one line and sets the exit code. The process ends by itself when all output is written. */
function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    // Commander has already printed the error.
    process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
    return;
  }
  reporter.end();
  if (interruption.signal.aborted) {
    reporter.note('lincir: interrupted');
    process.exitCode = interruptedCode;
    return;
  }
  const isUsage = error instanceof LincirError && error.code === 'bad-argument';
  process.exitCode = isUsage ? exitCodes.usage : exitCodes.failure;
  const message =
    error instanceof LincirError
      ? context.told(error.message)
      : error instanceof Error
        ? error.message
        : String(error);
  reporter.note(`lincir: ${message.replaceAll(/\s*\n\s*/g, ' ')}`);
  if (program.opts().debug || process.env.LINCIR_DEBUG === '1') reporter.note(inspect(error));
}

/** Turns commander's message into one line of ours. */
function usageError(text: string): string {
  return `${text
    .trim()
    .replace(/^error: /, 'lincir: ')
    .replaceAll(/\s*\n\s*/g, ' ')}\n`;
}

function packageVersion(): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return version;
}
