/** Finds a Python that has modules which a test needs: the one that PYTHON names, or python3. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs a program to its end, and gives what it prints. */
export type Python = (
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
) => Promise<string>;

/** A Python with these modules; or why there is none. */
export async function pythonWith(...modules: readonly string[]): Promise<Python | string> {
  const program = process.env.PYTHON ?? 'python3';
  const python: Python = async (args, environment = {}) => {
    const env = { ...process.env, NO_PROXY: '*', ...environment };
    return (await run(program, args, { env })).stdout;
  };
  try {
    // Looks for them only: to import PyTorch takes seconds.
    const look =
      'import sys; from importlib.util import find_spec; print(*map(find_spec, sys.argv[1:]), sep="\\n")';
    const found = (await python(['-c', look, ...modules])).trim().split('\n');
    const missing = modules.filter((_, at) => found[at] === 'None');
    if (missing.length === 0) return python;
    return `${program} has not ${missing.join(' and ')}: set PYTHON to one that has`;
  } catch (error) {
    return `no Python: set PYTHON to one with ${modules.join(' and ')} (${String(error).trim().split('\n').at(-1)})`;
  }
}
