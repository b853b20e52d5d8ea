/** The command check and its options. */

import type { Command } from 'commander';
import { precisions } from '../../onnx/choices.ts';
import type { Context } from '../context.ts';
import { checkNotes } from '../help.ts';
import { deviceOption, modelHelp, precisionOption, threadsOption } from '../options.ts';

export function checkCommand(program: Command, context: Context): void {
  program
    .command('check')
    .description('say what this machine has, and prove that a device computes what the CPU computes')
    .option('--model <model>', `${modelHelp} (default: mini)`)
    .addOption(deviceOption())
    .addOption(precisionOption(precisions))
    .option('--images <pattern...>', 'images to measure int8 on (default: drawn ones), or to record')
    .option('--published <model>', 'the published values of this model count (default: of --model)')
    .option('--pictures <folder>', 'where the pictures of published values are (default: downloaded)')
    .option('--values <file>', 'compare with these, not with what is published: of --record, or results.json')
    .option('--record <file>', 'write values of --images there, for --values')
    .option(
      '--phi <phi>',
      'measure this phi on --data, and compare with the figures that are published of it',
    )
    .option('--data <folder>', 'folder of a benchmark, in its official layout')
    .option('--out <folder>', 'for the files that a server takes, where it keeps the answers secret')
    .addOption(threadsOption())
    .option('--json', 'print JSON')
    .addHelpText('after', checkNotes)
    .action(async (options) =>
      (await import('../commands/check.ts')).check({ ...options, version: program.version()! }, context),
    );
}
