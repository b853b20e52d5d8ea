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

/** Translates the parts of a message that `option` and `call` made. Without a flag for it, an option stays unchanged. */
export function inFlags(message: string, { options }: Command): string {
  const flags = new Map(options.map((option) => [option.attributeName(), option.long]));
  return message.replaceAll(
    /`([\w.]+)(?:(\()(?:'([^`]*)')?\)(?:` with `precision: '(\w+)')?|: '([^`]*)')?`/g,
    (told: string, name: string, call?: string, index?: string, precision?: string, value?: string) => {
      const known = [renamed[name] ?? name, name, ...name.split('.').reverse()].find((one) => flags.has(one));
      const found = call ? commands[name] : flags.get(known ?? '');
      if (!found) return told;
      return [
        found,
        ...(index ? ['--index', index] : []),
        ...(precision ? ['--precision', precision] : []),
        ...(value === undefined ? [] : [value]),
      ].join(' ');
    },
  );
}
