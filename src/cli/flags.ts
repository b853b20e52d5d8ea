/** Translates the library's messages for the command line: options become flags, functions become commands. */

import type { Command } from 'commander';

/** Options whose flags have another name in some commands. */
const renamed: Readonly<Record<string, string>> = {
  images: 'image',
  columns: 'column',
  key: 'metadataKey',
  keepMissingDays: 'keepMissing',
  pollSeconds: 'poll',
  folder: 'out',
  keys: 'apiKeyFile',
  apiKey: 'apiKeyFile',
  withoutKey: 'key',
  allowedHosts: 'allowedHost',
  allowedOrigins: 'allowedOrigin',
  indexing: 'allowIndexing',
};

const commands: Readonly<Record<string, string>> = {
  openIndex: 'lincir index',
  reindex: 'lincir reindex',
  trainPhi: 'lincir train',
};

/** `name`, `name: 'value'`, `name('index')`, or the latter with `name: 'value'`, `name: 1.25`. */
const toldPattern =
  /`([\w.]+)(?:\((?:'([^`]*)')?\)`((?: with `\w+: [^`]*`(?:, `\w+: [^`]*`)*)?)|(?:: '([^`]*)')?`)/g;

/** Translates the parts of a message that `option` and `call` made. Without a flag for it, an option stays unchanged. */
export function inFlags(message: string, { options }: Command): string {
  const flags = new Map(options.map((option) => [option.attributeName(), option.long]));
  return message.replaceAll(
    toldPattern,
    (told: string, name: string, index?: string, given?: string, value?: string) => {
      if (given !== undefined) {
        const command = commands[name];
        return command ? [command, ...argumentsOf(index, given)].join(' ') : told;
      }
      const known = [renamed[name] ?? name, name, ...name.split('.').reverse()].find((one) => flags.has(one));
      const flag = flags.get(known ?? '');
      return flag ? [flag, ...(value === undefined ? [] : [forShell(value)])].join(' ') : told;
    },
  );
}

/** Commands and flags are pasted into a shell. */
function argumentsOf(index: string | undefined, given: string): string[] {
  const pairs = Array.from(given.matchAll(/`(\w+): (?:'([^`]*)'|([^`]*))`/g), ([, key, text, number]) => [
    `--${key!.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    text ?? number!,
  ]);
  return [...(index ? ['--index', index] : []), ...pairs.flat()].map(forShell);
}

function forShell(word: string): string {
  return /^[\w./:@=+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
