/** The published package of clip-retrieval, its Python client and its web front, fetched once and not installed. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const version = '2.45.0';
const folder = join(import.meta.dirname, `../../node_modules/.cache/clip-retrieval-${version}`);
const run = promisify(execFile);

export interface ClipRetrieval {
  /** The front, built. */
  readonly front: string;
  /**
   * Runs a Python program that has `ClipClient`, with one argument in JSON, which it finds in `given`. Returns what it prints,
   * parsed.
   */
  python(program: string, given: object): Promise<unknown>;
}

/** The package; or why it is not to be had. Its client needs `requests` alone, the package itself much more. */
export async function clipRetrieval(): Promise<ClipRetrieval | string> {
  if (!existsSync(folder)) {
    const fetched = `${folder}.${process.pid}`;
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', fetched];
    try {
      await mkdir(dirname(folder), { recursive: true });
      await run('python3', [...pip, '--no-deps', `clip-retrieval==${version}`], { timeout: 60_000 });
      await run('python3', [...pip, 'requests'], { timeout: 60_000 });
      await rename(fetched, folder);
    } catch (error) {
      await rm(fetched, { recursive: true, force: true });
      const [reason] = String(error).split('\n').slice(-2);
      return `python3 -m pip cannot fetch clip-retrieval ${version}: ${reason}`;
    }
  }
  return { front: join(folder, 'front/build'), python };
}

/** Loads the client's file alone. */
const prelude = `
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("clip_client", "${join(folder, 'clip_retrieval/clip_client.py')}")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
ClipClient = module.ClipClient
given = json.loads(sys.argv[1])
`;

async function python(program: string, given: object): Promise<unknown> {
  const env = { ...process.env, PYTHONPATH: folder, NO_PROXY: '*' };
  const { stdout } = await run('python3', ['-c', prelude + program, JSON.stringify(given)], { env });
  return JSON.parse(stdout);
}
