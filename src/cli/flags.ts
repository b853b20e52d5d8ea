/** What the library says, in the command line's words: its options as flags, its functions as commands. */

import type { Command } from 'commander';

/** Options whose flags have another name in some commands. */
const renamed: Readonly<Record<string, string>> = {
  images: 'image',
  columns: 'column',
  key: 'metadataKey',
  keepMissingDays: 'keepMissing',
  folder: 'out',
};

const commands: Readonly<Record<string, string>> = {
  openIndex: 'lincir index',
  reindex: 'lincir reindex',
  trainPhi: 'lincir train',
};

/** Translates what a message has from `option` and `call`. What the command has no flag for stays as it is. */
export function inFlags(message: string, { options }: Command): string {
  const flags = new Map(options.map((option) => [option.attributeName(), option.long]));
  return message.replaceAll(
    /`([\w.]+)(?:(\()(?:'([^`]*)')?\)|: '([^`]*)')?`/g,
    (told: string, name: string, call?: string, index?: string, value?: string) => {
      const known = [renamed[name] ?? name, name, ...name.split('.').reverse()].find((one) => flags.has(one));
      const found = call ? commands[name] : flags.get(known ?? '');
      if (!found) return told;
      return [found, ...(index ? ['--index', index] : []), ...(value === undefined ? [] : [value])].join(' ');
    },
  );
}
