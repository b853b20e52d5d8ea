/** The cache folder, for things that can be made again. */

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** `LINCIR_CACHE`, else `$XDG_CACHE_HOME/lincir`, else `~/.cache/lincir`. Empty variables count as unset. */
export function cacheFolder(variables: Readonly<Record<string, string | undefined>> = process.env): string {
  const { LINCIR_CACHE: own, XDG_CACHE_HOME: common } = variables;
  return resolve(own || join(common || join(homedir(), '.cache'), 'lincir'));
}
