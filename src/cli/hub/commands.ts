/** The commands that deal with the hub: models, models pull, and export. */

import type { Command } from 'commander';
import { weightPrecisions } from '../../onnx/choices.ts';
import { phiArchitectures } from '../../phi/choices.ts';
import type { Context } from '../context.ts';
import { exportNotes } from '../help.ts';
import { choice, modelHelp } from '../options.ts';

export function hubCommands(program: Command, context: Context): void {
  const models = program
    .command('models')
    .description('list the presets of models and phis, and what the cache has')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('../commands/models.ts')).listModels(options, context));

  models
    .command('pull')
    .description('download a model or a phi, or update it')
    .argument('<model>', 'a preset, OWNER/NAME[@REVISION] on the hub, or OWNER/NAME/FILE for a phi')
    .action(async (model, _, command) =>
      (await import('../commands/models.ts')).pull(model, command.optsWithGlobals(), context),
    );

  program
    .command('export')
    .description('write a phi for PyTorch, publish it on the hub, or write model and phi as ONNX files')
    .argument('[phi]', "a run's folder, a file, a preset, or OWNER/NAME[/FILE] on the hub")
    .option(
      '--out <path>',
      'a new .pt file, beside which its model card is written; with --onnx, a new folder',
    )
    .option('--onnx', 'write a model as ONNX files; with a phi, also phi and all that composed queries need')
    .option('--model <model>', `of the ONNX files: ${modelHelp} (default: the one that phi was trained for)`)
    .addOption(
      choice(
        '--precision <type>',
        'of the ONNX files: what they store and compute products in (default: float32)',
        weightPrecisions,
      ),
    )
    .option('--zero-shot', 'with --onnx, write both towers in one file as well, for zero-shot classification')
    .option('--to-hub <repository>', 'upload both to OWNER/NAME on the hub, in one commit')
    .addOption(
      choice('--layout <name>', "whose files it is like (default: its architecture's)", phiArchitectures),
    )
    .option(
      '--licence <name>',
      "for the model card, as the hub writes it: cc-by-4.0, mit, … (default: a published phi's, or other)",
    )
    .option('--results <path...>', "results of lincir eval for the card, besides those in the run's folder")
    .option('--public', 'if the repository is missing, make it one that everybody sees')
    .option('--force', 'replace what is there')
    .option('--json', 'print what was written, as JSON')
    .addHelpText('after', exportNotes)
    .action(async (phi, options) => (await import('../commands/export.ts')).exported(phi, options, context));
}
