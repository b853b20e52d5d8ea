/** The commands that answer others: serve over HTTP, mcp to an assistant, lend to a training. */

import { type Command, InvalidArgumentError } from 'commander';
import { floatPrecisions } from '../../onnx/choices.ts';
import { defaultSettings } from '../../server/choices.ts';
import type { Context } from '../context.ts';
import {
  deviceOption,
  devicesOption,
  modelOption,
  portOption,
  precisionOption,
  realNumber,
  threadsOption,
  wholeNumber,
} from '../options.ts';
import { lendNotes, mcpNotes, serveNotes } from './help.ts';

/** Beside the one of serve. */
const lendingPort = 5463;

export function servingCommands(program: Command, context: Context): void {
  const { host, port, requestSeconds } = defaultSettings;
  program
    .command('serve')
    .description('answer browsers and programs over HTTP: a page to search on, and an API')
    .option('--index <uri...>', 'indexes, each as URI or NAME=URI; the first is the default')
    .option('--phi <phi...>', 'the phi of all indexes, or NAME=PHI for the index of that name')
    .option('--model <model>', "the indexes' model, if it is not where it was; or that of a new index")
    .option('--host <address>', 'the address to listen on; beyond loopback, it needs a key', host)
    .addOption(portOption(port))
    .option('--open', 'open the page')
    .addOption(deviceOption())
    .addOption(threadsOption())
    .option(
      '--workers <number>',
      'threads that encode texts, and as many for images (default: 1)',
      wholeNumber,
    )
    .option('--queue <number>', 'requests that may wait (default: 256)', wholeNumber)
    .option('--idle <seconds>', 'unload models that nobody has used for so long (default: never)', realNumber)
    .option('--request-seconds <seconds>', 'give up on answers that take longer', realNumber, requestSeconds)
    .option('--api-key-file <file>', 'keys that clients must have one of, a key on every line')
    .option('--no-key', 'let everybody in who can reach the address')
    .option('--allowed-host <name...>', 'names of the server in addresses, such as images.example.org')
    .option('--allowed-origin <origin...>', 'sites whose pages may ask, such as https://example.org')
    .option(
      '--knn-service [token-file]',
      "answer clip-retrieval's clients; with keys, below the secret part of the address in the file",
    )
    .option('--public-url <url>', 'where clients reach the server, if a proxy stands before it', webAddress)
    .option('--no-image-urls', 'refuse images by their web address')
    .option('--no-mcp', 'do not answer assistants (MCP) at /mcp')
    .option('--watch', 'keep the indexes up to date with their folders')
    .option('--allow-indexing', 'let clients bring the indexes up to date, on this machine or with a key')
    .option(
      '--folder <folder...>',
      'what these two index: folders, or NAME=FOLDER for the index of that name',
    )
    .option('--demo', 'serve the miniature world, 4,000 drawings with their own model and phi')
    .option('--log', 'print a line of JSON for every request')
    .addHelpText('after', serveNotes)
    .action(async (options) => (await import('../commands/serve.ts')).serve(options, context));

  program
    .command('mcp')
    .description('answer an assistant, which starts this command (MCP over standard input and output)')
    .requiredOption('--index <uri...>', 'indexes, each as URI or NAME=URI; the first is the default')
    .option('--phi <phi...>', 'the phi of all indexes, or NAME=PHI for the index of that name')
    .option('--model <model>', "the indexes' model, if it is not where it was")
    .addOption(deviceOption())
    .addOption(threadsOption())
    .option('--idle <seconds>', 'unload models that nobody has used for so long', realNumber, 900)
    .option('--request-seconds <seconds>', 'give up on answers that take longer', realNumber, 60)
    .option('--no-image-urls', 'refuse images by their web address')
    .addHelpText('after', mcpNotes)
    .action(async (options) => (await import('../commands/mcp.ts')).mcp(options, context));

  program
    .command('lend')
    .description('compute for trainings on other machines, which name this one among their --devices')
    .addOption(modelOption())
    .addOption(devicesOption('devices of this machine to lend, such as 0,1 or cpu:2').default(['cpu'], 'cpu'))
    .option('--host <address>', 'the address to listen on; beyond loopback, it needs a key', host)
    .addOption(portOption(lendingPort))
    .option('--api-key-file <file>', 'keys that trainings must have one of, a key on every line')
    .option('--no-key', 'let everybody compute who can reach the address')
    .option('--allowed-host <name...>', 'names of this machine in addresses (default: that of --host)')
    .addOption(threadsOption())
    .addOption(precisionOption(floatPrecisions))
    .option('--positions-per-run <number>', 'tokens computed at once, at most', wholeNumber, 1024)
    .addHelpText('after', lendNotes)
    .action(async (options) => (await import('../commands/lend.ts')).lend(options, context));
}

function webAddress(text: string): string {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError('It must be an address such as https://images.example.org.');
}
