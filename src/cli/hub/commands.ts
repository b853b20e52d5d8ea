/** The commands that deal with the hub: models, models pull, and export. */

import type { Command } from 'commander';
import { phiArchitectures } from '../../phi/choices.ts';
import type { Context } from '../context.ts';
import { exportNotes } from '../help.ts';
import { choice } from '../options.ts';

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
    .description("write a phi as a method's authors do, with a model card, or publish it on the hub")
    .argument('<phi>', "a run's folder, a file, a preset, or OWNER/NAME[/FILE] on the hub")
    .option('--out <file>', 'a new .pt file; README.md, its model card, is written beside it')
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
