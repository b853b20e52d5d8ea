#!/usr/bin/env node
/** The command line: what can be said to it, and the only place that prints and sets exit codes. */

import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { inspect } from 'node:util';
import { Command, CommanderError, Option } from 'commander';
import type { Masking } from '../captions/index.ts';
import type { Method } from '../composition/index.ts';
import { LincirError } from '../core/index.ts';
import type { Comparison } from '../indexing/index.ts';
import type { PhiArchitecture } from '../phi/index.ts';
import type { Schedule } from '../training/index.ts';
import type { Context } from './context.ts';
import { evaluationCommands } from './evaluation/commands.ts';
import {
  embedNotes,
  examples,
  indexNotes,
  keywordsNotes,
  reindexNotes,
  searchNotes,
  trainNotes,
} from './help.ts';
import {
  countNumber,
  deviceOption,
  indexOption,
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
import { Reporter } from './terminal/progress.ts';

enableCompileCache(); // The libraries behind the commands take longer to compile than most commands run.

/** Of the libraries behind the commands, which are loaded when they are needed, and not for --help. */
const schedules: Schedule[] = ['constant', 'linear', 'cosine', 'cosine-restarts', 'polynomial'];
const phiArchitectures: PhiArchitecture[] = ['lincir', 'searle', 'pic2word'];

const methods: Method[] = ['lincir', 'image', 'text', 'sum', 'slerp'];

const exitCodes = { failure: 1, usage: 2 } as const;
/** Signals that interrupt, and the exit codes that shells know them by: Ctrl-C, kill or a shutdown, a closed terminal. */
const interruptedCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const interruption = new AbortController();
const reporter = new Reporter(process.stderr);
const context: Context = {
  print: (line) => process.stdout.write(`${line}\n`),
  reporter,
  signal: interruption.signal,
};

/** Milliseconds that a command has to end in order when whoever ended it may not do so again. */
const patience = 30_000;
let interruptedCode: number | undefined;
for (const [signal, code] of Object.entries(interruptedCodes)) {
  process.on(signal, () => {
    // By its default, a signal ends the process whatever it is at.
    const end = () => process.removeAllListeners(signal).kill(process.pid, signal);
    if (interruption.signal.aborted) end();
    else if (signal !== 'SIGINT') setTimeout(end, patience).unref();
    interruptedCode = code;
    interruption.abort();
  });
}
// A terminal that is closed takes no messages any more, which is no reason to lose work.
process.stderr.on('error', () => {});
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
  .addOption(deviceOption())
  .addOption(threadsOption())
  .addOption(targetPadOption())
  .addOption(maxPixelsOption())
  .option('--strict', 'refuse texts that are too long, instead of cutting them with a warning')
  .option('--skip-broken', 'leave out pictures that cannot be read, and list them at the end')
  .option('--json', 'print a summary as JSON on standard output')
  .addHelpText('after', embedNotes)
  .action(async (options) => (await import('./commands/embed.ts')).embed(options, context));

program
  .command('index')
  .description('bring an index of pictures up to date with folders, files and shards')
  .argument('[picture...]', 'folders, picture files, WebDataset shards (.tar)')
  .addOption(indexOption())
  .option('--model <model>', `${modelHelp}; the index's own if not given`)
  .option('--list <file...>', 'files with a path a line, or with zero bytes between; - for standard input')
  .option('--embeddings <file...>', 'ready embeddings: .npy or .safetensors')
  .option('--names <file...>', 'names of their rows, a name a line')
  .option('--metadata <file...>', 'further columns: .csv, .tsv, .jsonl or .parquet')
  .option(
    '--metadata-key <column>',
    "its column of pictures' paths; path, file, name, key or id if not given",
  )
  .option('--exclude <pattern...>', 'leave out what matches: names, or paths below a folder')
  .option('--follow-links', 'look at what links lead to')
  .option('--remove <name...>', 'take pictures out, by ids or paths; their files stay')
  .option('--remove-missing', 'take out what is gone, even so much that a disk may be away')
  .option('--keep-missing <days>', 'keep ids and metadata of what is gone; 30 days if not given', countNumber)
  .addOption(
    new Option('--compare <what>', 'what tells that a file is as it was; times if not given').choices([
      'times',
      'modified',
      'contents',
    ] satisfies Comparison[]),
  )
  .option('--stats', 'show what is in the index, all broken pictures included')
  .addOption(precisionOption())
  .addOption(deviceOption())
  .addOption(threadsOption())
  .addOption(targetPadOption())
  .addOption(maxPixelsOption())
  .option('--json', 'print what was done as JSON on standard output')
  .addHelpText('after', indexNotes)
  .action(async (pictures, options) =>
    (await import('./commands/index.ts')).index(pictures, options, context),
  );

program
  .command('reindex')
  .description('rebuild an index for another model or precision, beside the old one')
  .addOption(indexOption())
  .option('--model <model>', `${modelHelp}; the index's own if not given`)
  .addOption(precisionOption())
  .addOption(deviceOption())
  .addOption(threadsOption())
  .addOption(targetPadOption())
  .addOption(maxPixelsOption())
  .option('--json', 'print what was done as JSON on standard output')
  .addHelpText('after', reindexNotes)
  .action(async (options) => (await import('./commands/index.ts')).rebuild(options, context));

program
  .command('search')
  .description('find the pictures that match pictures and words')
  .addOption(indexOption())
  .option(
    '--image <picture...>',
    'a file, - for standard input, an address on the web, or an id or path in the index',
  )
  .option('--text <prompt>', 'what is to be different, or a prompt with $')
  .option(
    '--phi <phi>',
    "what makes words of pictures: a run's folder, a file, or a published one: lincir-large",
  )
  .option('--without <text>', 'what is not wanted')
  .option('--without-weight <number>', 'how much of it is subtracted; 0.5 if not given', realNumber)
  .addOption(
    new Option('--method <name>', 'lincir for pictures with words, else what there is, if not given').choices(
      methods,
    ),
  )
  .option('--weight <number>', 'of the words in slerp (0.8 if not given) and sum (1)', realNumber)
  .option('--where <filter>', 'rank only pictures that pass')
  .option('--top <number>', 'results', wholeNumber, 10)
  .option('--page <number>', 'which of them, from 1', wholeNumber, 1)
  .option('--min-score <number>', 'leave out results of less similarity', signedNumber)
  .option(
    '--unique [similarity]',
    'show what is alike once: same contents, or from a similarity on',
    similarity,
  )
  .option('--include-reference', "do not leave out the query's own pictures")
  .option('--exact', 'compare with every picture, whatever it takes')
  .option('--model <model>', "where the index's model is, if not where it was")
  .option('--allow-private', 'fetch pictures from loopback and private addresses, too')
  .addOption(deviceOption())
  .addOption(threadsOption())
  .option('--interactive', 'search again and again, with everything loaded')
  .option('--paths', 'print paths alone, a path a line')
  .option('--null', 'print paths alone, each ended by a zero byte, for xargs -0')
  .option('--json', 'print the results as JSON')
  .option('--html [file]', 'write a page with the pictures')
  .option('--open', 'open the page')
  .option('--preview', 'show the pictures in the terminal (kitty, iTerm2, sixel)')
  .option('--timings', 'show how long each stage took')
  .addHelpText('after', searchNotes)
  .action(async (options) => (await import('./commands/search.ts')).search(options, context));

program
  .command('tokenize')
  .description('read lines on standard input and print their token ids, one JSON list a line')
  .addOption(modelOption())
  .option('--strict', 'refuse texts that are too long, instead of cutting them with a warning')
  .action(async (options) => (await import('./commands/tokenize.ts')).tokenize(options, context));

program
  .command('keywords')
  .description('show what training would mask in captions; needs no model')
  .argument('[source...]', 'captions, as --captions takes them')
  .option('--captions <source...>', 'files, glob patterns, or hub data sets; - for standard input')
  .option(
    '--column <name...>',
    'of tables: the first of these that a file has; text if not given; a number without a header',
  )
  .addOption(
    new Option('--masking <rule>', 'what becomes a placeholder')
      .choices(['spans', 'official'] satisfies Masking[])
      .default('spans'),
  )
  .option('--limit <number>', 'stop after so many captions', wholeNumber)
  .option('--seed <number>', 'of the random words of --masking official', countNumber, 0)
  .option('--json', 'print an object a line: caption, cleaned, keywords, masked, fallback')
  .addHelpText('after', keywordsNotes)
  .action(async (sources, options) =>
    (await import('./commands/keywords.ts')).keywords(sources, options, context),
  );

program
  .command('train')
  .description('learn phi, which turns pictures into words, from captions alone')
  .option('--model <model>', modelHelp)
  .option('--captions <source...>', 'what to learn from: files, patterns, hub data sets')
  .option(
    '--column <name...>',
    'of tables: the first of these that a file has; text if not given; a number without a header',
  )
  .option('--out <run>', 'a new folder for the run')
  .option('--resume <run>', 'the folder of a run to go on with, by the settings that it has')
  .option('--steps <number>', '20,000 if not given', wholeNumber)
  .option('--batch <number>', 'captions of one pass; 512 if not given', wholeNumber)
  .option('--accumulation <number>', 'passes of one step; 1 if not given', wholeNumber)
  .option('--learning-rate <number>', '1e-4 if not given', realNumber)
  .addOption(
    new Option('--schedule <name>', 'of the learning rate; constant if not given').choices(schedules),
  )
  .option('--warmup <number>', 'steps in which the learning rate rises', countNumber)
  .option('--cycles <number>', 'of the schedule cosine-restarts', wholeNumber)
  .option('--power <number>', 'of the schedule polynomial', realNumber)
  .option('--weight-decay <number>', '0.01 if not given', realNumber)
  .option('--beta1 <number>', 'of AdamW; 0.9 if not given', realNumber)
  .option('--beta2 <number>', 'of AdamW; 0.999 if not given', realNumber)
  .option('--epsilon <number>', 'of AdamW; 1e-8 if not given', realNumber)
  .option('--clip-norm <number>', 'scale longer gradients down to this length', realNumber)
  .option('--ema', 'keep a moving average of phi as well')
  .addOption(
    new Option(
      '--masking <rule>',
      'what becomes a placeholder (see lincir keywords); spans if not given',
    ).choices(['spans', 'official'] satisfies Masking[]),
  )
  .addOption(new Option('--architecture <name>', 'of phi; lincir if not given').choices(phiArchitectures))
  .option('--noise <number>', "the noise's strength; 1 if not given", realNumber)
  .option('--dropout <number>', "the architecture's own if not given", realNumber)
  .option('--l2-normalize', 'scale embeddings to length 1 before phi')
  .option('--seed <number>', '0 if not given', countNumber)
  .option('--validate <what...>', 'captions:FILE, captions that training does not see; BENCHMARK:FOLDER')
  .option('--validate-every <number>', 'steps; 1,000 if not given', wholeNumber)
  .option('--save-every <number>', 'steps; 1,000 if not given, and at least every five minutes', wholeNumber)
  .addOption(deviceOption())
  .addOption(threadsOption())
  .option('--embedding-cache <gibibytes>', "of disk, for captions' embeddings; 4 if not given", realNumber)
  .option('--positions-per-run <number>', 'tokens computed at once; 1,024 if not given', wholeNumber)
  .option('--json', 'print every event as a line of JSON')
  .addHelpText('after', trainNotes)
  .action(async (options) => (await import('./commands/train.ts')).train(options, context));

evaluationCommands(program, context);

const models = program
  .command('models')
  .description('list the presets of models and phis, and what is in the cache')
  .option('--json', 'print JSON')
  .action(async (options) => (await import('./commands/models.ts')).listModels(options, context));

models
  .command('pull')
  .description('download a model or a phi, or what is new of it')
  .argument('<model>', 'a preset, OWNER/NAME[@REVISION] on the hub, or OWNER/NAME/FILE for a phi')
  .action(async (model, _, command) =>
    (await import('./commands/models.ts')).pull(model, command.optsWithGlobals(), context),
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
    process.exitCode = interruptedCode;
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

function packageVersion(): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return version;
}
