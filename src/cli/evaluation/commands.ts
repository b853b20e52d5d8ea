/** The commands of evaluation: eval, score, submit and compare. */

import { Argument, type Command, InvalidArgumentError, Option } from 'commander';

import type { BenchmarkKind } from '../../benchmarks/index.ts';
import { type Method, methodNames, methods, phiMethods, weightedMethods } from '../../composition/choices.ts';
import type { Context } from '../context.ts';
import {
  countNumber,
  deviceOption,
  imagePrecisionOption,
  maxPixelsOption,
  modelOption,
  realNumber,
  targetPadOption,
  threadsOption,
  wholeNumber,
} from '../options.ts';
import { shardOption } from '../sharding/shard-option.ts';
import { compareNotes, evaluateNotes, miniNotes, scoreNotes, submitNotes } from './help.ts';
import { benchmarkKinds } from './kinds.ts';

export function evaluationCommands(program: Command, context: Context): void {
  const oneOf = (kinds: readonly BenchmarkKind[]) =>
    new Argument('<benchmark>', 'name of the benchmark').choices(kinds.map(({ name }) => name));

  const evaluate = modelledCommand(program.command('eval').addArgument(oneOf(benchmarkKinds)))
    .description('measure methods on a benchmark of composed image retrieval')
    .option('--prompts <what>', 'also measure other prompts: all, or a JSON file with a list of prompts')
    .option(
      '--limit <number>',
      'ask only so many queries: a quick look, not comparable with full runs',
      wholeNumber,
    )
    .option('--out <folder>', 'for the results (default: a new one in evaluations/)')
    .option('--report-queries <number>', 'queries in report.html (default: 200)', wholeNumber)
    .addOption(shardOption('embedding the images, and measure nothing'))
    .option('--json', 'print the results as JSON')
    .addHelpText('after', evaluateNotes)
    .action(async (name, options) => (await import('../commands/eval.ts')).evaluate(name, options, context));
  protocolOptions(evaluate);

  const score = dataOption(program.command('score').addArgument(oneOf(benchmarkKinds)))
    .description('score files of predictions; needs no model and no images')
    .requiredOption('--predictions <file...>', "in the benchmark's official format, or rankings-METHOD.jsonl")
    .option('--out <folder>', 'write results.json there, to compare it with others')
    .option('--json', 'print the results as JSON')
    .addHelpText('after', scoreNotes)
    .action(async (name, options) => (await import('../commands/score.ts')).score(name, options, context));
  protocolOptions(score);

  const submittable = benchmarkKinds.filter(({ predictions }) => predictions !== undefined);
  const submit = modelledCommand(program.command('submit').addArgument(oneOf(submittable)))
    .description("write the files that a benchmark's server takes, and check them by its rules")
    .requiredOption('--out <folder>', 'where to write them')
    .addHelpText('after', submitNotes)
    .action(async (name, options) => (await import('../commands/eval.ts')).submit(name, options, context));
  protocolOptions(submit);

  program
    .command('mini')
    .description("write the miniature world's images and queries: a benchmark that needs no download")
    .argument('<folder>', 'where to write it')
    .option('--images <number>', 'images in the gallery: at least 6 for every query', wholeNumber, 4000)
    .addOption(
      new Option('--pictures <number>', 'the older name of --images').argParser(wholeNumber).hideHelp(),
    )
    .option('--queries <number>', 'queries, of ten kinds of change in turn', wholeNumber, 600)
    .option('--seed <number>', 'each seed makes another benchmark', countNumber, 1)
    .addHelpText('after', miniNotes)
    .action(async (folder, { pictures, ...options }) => {
      const { mini } = await import('../commands/mini.ts');
      await mini(folder, { ...options, images: pictures ?? options.images }, context);
    });

  program
    .command('compare')
    .description('show two runs side by side, with a paired test')
    .argument('<a>', 'results.json, or its folder')
    .argument('<b>', 'the other one')
    .option('--json', 'print the comparison as JSON')
    .addHelpText('after', compareNotes)
    .action(async (a, b, options) =>
      (await import('../commands/compare.ts')).compare(a, b, options, context),
    );
}

function dataOption(command: Command): Command {
  return command.requiredOption('--data <folder>', 'folder of the benchmark, in its official layout');
}

function protocolOptions(command: Command): void {
  command
    .option('--split <name>', 'part of the benchmark (default: its first, whose answers are known)')
    .option('--variant <name>', 'a named deviation from the protocol')
    .option('--only <part...>', 'only these tasks or categories', listed)
    .option('--any-version', 'accept annotations that are not the published ones');
}

function modelledCommand(command: Command): Command {
  dataOption(command).addOption(modelOption());
  for (const method of phiMethods) {
    if (method !== 'lincir') command.option(`--${method} <file>`, `the phi of ${method}`);
    else
      command.option(
        '--phi <phi>',
        "the phi of lincir: a run's folder, a file, or a published phi such as lincir-large",
      );
  }
  command
    .addOption(
      new Option(
        '--methods <name...>',
        `of ${methodNames.join(', ')} (default: those that need no training, and those whose phi you give)`,
      ).argParser(methodList),
    )
    .option('--prompt <prompt>', "use this prompt, with $ for the image and {text}, not the benchmark's");
  for (const method of weightedMethods) {
    const description = `weight of the text in ${method} (default: ${methods[method].weight!.default})`;
    command.option(`--${method}-weight <number>`, description, realNumber);
  }
  return command
    .option('--cache <folder>', 'for embeddings (default: LINCIR_CACHE, or ~/.cache/lincir)')
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(imagePrecisionOption())
    .addOption(targetPadOption())
    .addOption(maxPixelsOption());
}

/** `a,b c` as commander gives it, one argument after the other. */
function listed(value: string, before: readonly string[] = []): string[] {
  return [...before, ...value.split(',').filter((name) => name !== '')];
}

function methodList(value: string, before?: readonly Method[]): Method[] {
  const names = listed(value, before);
  const isKnown = (name: string): name is Method => methodNames.some((known) => known === name);
  if (names.every(isKnown) && new Set(names).size === names.length) return names;
  throw new InvalidArgumentError(`It must be a list of different ones of ${methodNames.join(', ')}.`);
}
