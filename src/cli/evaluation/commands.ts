/** The commands of evaluation: eval, score, submit and compare. */

import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { benchmarkKinds } from '../../benchmarks/choices.ts';
import type { BenchmarkKind, EvaluationMethod } from '../../benchmarks/index.ts';
import type { Context } from '../context.ts';
import {
  countNumber,
  deviceOption,
  maxPixelsOption,
  modelOption,
  realNumber,
  targetPadOption,
  threadsOption,
  wholeNumber,
} from '../options.ts';
import { compareNotes, evaluateNotes, miniNotes, scoreNotes, submitNotes } from './help.ts';

export const methodNames: EvaluationMethod[] = [
  'lincir',
  'image',
  'text',
  'sum',
  'slerp',
  'searle',
  'pic2word',
  'oti',
];

export function evaluationCommands(program: Command, context: Context): void {
  const oneOf = (kinds: readonly BenchmarkKind[]) =>
    new Argument('<benchmark>', 'which one').choices(kinds.map(({ name }) => name));

  const evaluate = modelledCommand(program.command('eval').addArgument(oneOf(benchmarkKinds)))
    .description('measure methods on a benchmark of composed retrieval')
    .option('--prompts <what>', 'try other wordings, too: all, or a JSON file with a list of prompts')
    .option('--limit <number>', 'ask only so many queries: a quick look, not comparable', wholeNumber)
    .option('--out <folder>', 'for results; a new one in evaluations/ if not given')
    .option('--report-queries <number>', 'queries in report.html; 200 if not given', wholeNumber)
    .option('--json', 'print the results as JSON')
    .addHelpText('after', evaluateNotes)
    .action(async (name, options) => (await import('../commands/eval.ts')).evaluate(name, options, context));
  protocolOptions(evaluate);

  const score = dataOption(program.command('score').addArgument(oneOf(benchmarkKinds)))
    .description('score files of predictions; needs no model and no images')
    .requiredOption('--predictions <file...>', "in the benchmark's official format, or rankings-METHOD.jsonl")
    .option('--out <folder>', 'write results.json there, to be compared with others')
    .option('--json', 'print the results as JSON')
    .addHelpText('after', scoreNotes)
    .action(async (name, options) => (await import('../commands/score.ts')).score(name, options, context));
  protocolOptions(score);

  const submittable = benchmarkKinds.filter(({ predictions }) => predictions !== undefined);
  const submit = modelledCommand(program.command('submit').addArgument(oneOf(submittable)))
    .description("write the files that a benchmark's server takes, checked by its rules")
    .requiredOption('--out <folder>', 'where to write them')
    .addHelpText('after', submitNotes)
    .action(async (name, options) => (await import('../commands/eval.ts')).submit(name, options, context));
  protocolOptions(submit);

  program
    .command('mini')
    .description("write the miniature world's images and queries: a benchmark that needs no download")
    .argument('<folder>', 'where to')
    .option('--images <number>', 'at least 6 for every query', wholeNumber, 4000)
    .option('--queries <number>', 'ten kinds of change take turns', wholeNumber, 600)
    .option('--seed <number>', 'another one, another benchmark', countNumber, 1)
    .addHelpText('after', miniNotes)
    .action(async (folder, options) => (await import('../commands/mini.ts')).mini(folder, options, context));

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
  return command.requiredOption('--data <folder>', 'where the benchmark lies, in its official layout');
}

function protocolOptions(command: Command): void {
  command
    .option('--split <name>', "the benchmark's first if not given, with known answers")
    .option('--variant <name>', 'a named deviation from the protocol')
    .option('--only <part...>', 'of its tasks or categories', listed)
    .option('--any-version', 'take annotations that are not the published ones');
}

function modelledCommand(command: Command): Command {
  return dataOption(command)
    .addOption(modelOption())
    .option('--phi <phi>', "LinCIR's: a run's folder, a file, or a published one: lincir-large")
    .option('--searle <file>', "SEARLE's phi")
    .option('--pic2word <file>', "Pic2Word's phi")
    .addOption(
      new Option(
        '--methods <name...>',
        `of ${methodNames.join(', ')}; if not given, what needs no training, and whose phi is given`,
      ).argParser(methodList),
    )
    .option('--prompt <prompt>', "with $ for the image and {text}, in place of the benchmark's")
    .option('--sum-weight <number>', 'of the text in sum; 1 if not given', realNumber)
    .option('--slerp-weight <number>', 'of the text in slerp; 0.8 if not given', realNumber)
    .option('--cache <folder>', 'for embeddings; ~/.cache/lincir if not given (LINCIR_CACHE)')
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(targetPadOption())
    .addOption(maxPixelsOption());
}

/** `a,b c` as commander gives it, one argument after the other. */
function listed(value: string, before: readonly string[] = []): string[] {
  return [...before, ...value.split(',').filter((name) => name !== '')];
}

function methodList(value: string, before?: readonly EvaluationMethod[]): EvaluationMethod[] {
  const names = listed(value, before);
  const isKnown = (name: string): name is EvaluationMethod => methodNames.some((known) => known === name);
  if (names.every(isKnown) && new Set(names).size === names.length) return names;
  throw new InvalidArgumentError(`It must be a list of different ones of ${methodNames.join(', ')}.`);
}
