/** The environment variables of Hugging Face's tools: the cache, the hub, the token, and whether to go online. */

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { LincirError } from '../core/index.ts';
import { checkedEndpoint, hubAddress } from './endpoint.ts';

/** The type of `process.env`. Tests and embedding programs pass their own. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The variables, read once. Empty ones count as unset. */
export interface HubEnvironment {
  /** `HF_HUB_CACHE`, else `$HF_HOME/hub`, else `$XDG_CACHE_HOME/huggingface/hub`, else `~/.cache/huggingface/hub`. */
  readonly cacheFolder: string;
  /** `HF_ENDPOINT` without a slash at its end. */
  readonly endpoint: string;
  /** `HF_HUB_OFFLINE` (or `TRANSFORMERS_OFFLINE`) is 1, true, yes or on. */
  readonly offline: boolean;
  /** False with `HF_HUB_DISABLE_SYMLINKS`. */
  readonly symlinks: boolean;
  /** `HF_TOKEN`. */
  readonly token: string | undefined;
  /** `HF_TOKEN_PATH`, else `$HF_HOME/token`: where a login puts the token. */
  readonly tokenFile: string;
}

/** Reads the variables. Throws `bad-argument` for an `HF_ENDPOINT` that is not an http(s) address. */
export function readHubEnvironment(variables: Variables = process.env): HubEnvironment {
  const path = (name: string) => {
    const value = variables[name];
    return value ? resolve(value.replace(/^~(?=$|[\\/])/, homedir())) : undefined;
  };
  const isOn = (name: string) => /^(1|on|yes|true)$/i.test(variables[name] ?? '');

  const home = path('HF_HOME') ?? join(path('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
  return {
    cacheFolder: path('HF_HUB_CACHE') ?? path('HUGGINGFACE_HUB_CACHE') ?? join(home, 'hub'),
    endpoint: checkedEndpoint(variables.HF_ENDPOINT || hubAddress, 'HF_ENDPOINT'),
    offline: isOn('HF_HUB_OFFLINE') || isOn('TRANSFORMERS_OFFLINE'),
    symlinks: !isOn('HF_HUB_DISABLE_SYMLINKS'),
    token: variables.HF_TOKEN || variables.HUGGING_FACE_HUB_TOKEN || undefined,
    tokenFile: path('HF_TOKEN_PATH') ?? join(home, 'token'),
  };
}

/** The token for the hub, if there is one. If a header cannot have it, throws `bad-argument` without showing it. */
export async function readToken(environment: HubEnvironment): Promise<string | undefined> {
  const text = environment.token ?? (await readFile(environment.tokenFile, 'utf8').catch(() => ''));
  const token = text.trim();
  if (!/^[\x21-\x7e]*$/.test(token)) {
    throw new LincirError('bad-argument', {
      subject: environment.token === undefined ? environment.tokenFile : 'HF_TOKEN',
      expected: 'a token of visible ASCII characters',
      found: 'other characters in it',
    });
  }
  return token || undefined;
}
