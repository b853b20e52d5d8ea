/** `--shard`: which share of the work this process does, given as it is or taken from a scheduler's variables. */

import { InvalidArgumentError, Option } from 'commander';
import type { WorkShard } from '../../pictures/index.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export function shardOption(what: string): Option {
  const description = `do the i-th of n shares of ${what}, i from 1 to n; auto or auto/n: as the scheduler says`;
  return new Option('--shard <i/n>', description).argParser((text) => shardOf(text, process.env));
}

/** Only a shard that is asked for is taken from the environment: variables alone change nothing. */
export function shardOf(text: string, environment: Environment): WorkShard {
  const [, given, total] = /^(auto|\d{1,9})(?:\/(\d{1,9}))?$/.exec(text) ?? [];
  const count = total === undefined ? undefined : Number(total);
  if (given === 'auto') return scheduled(count, environment);
  if (given === undefined || count === undefined) {
    throw new InvalidArgumentError('It must be i/n, such as 1/8, or auto, or auto/8.');
  }
  const number = Number(given);
  if (number >= 1 && number <= count) return { number, count };
  if (count === 0) throw new InvalidArgumentError('Shards count from 1, so n is 1 or more: give 1/8, say.');
  throw new InvalidArgumentError(`Shards count from 1: give 1/${total} to ${total}/${total}.`);
}

/**
 * Kubernetes counts the pods of an Indexed Job from 0 and does not tell how many there are. Slurm tells the least id of an
 * array, its step and the number of its tasks. With `count`, ids count from 0 in both.
 */
function scheduled(count: number | undefined, environment: Environment): WorkShard {
  const job = wholeNumber('JOB_COMPLETION_INDEX', environment);
  const task = wholeNumber('SLURM_ARRAY_TASK_ID', environment);
  if (job !== undefined && task !== undefined) {
    throw new InvalidArgumentError(
      'Both JOB_COMPLETION_INDEX and SLURM_ARRAY_TASK_ID are set: give the shard itself, such as 1/8.',
    );
  }
  const index = job ?? task;
  if (index === undefined) {
    throw new InvalidArgumentError(
      'Neither JOB_COMPLETION_INDEX (a Kubernetes Indexed Job) nor SLURM_ARRAY_TASK_ID (a Slurm array) is set.',
    );
  }
  if (count !== undefined) {
    if (index < count) return { number: index + 1, count };
    throw new InvalidArgumentError(
      `The scheduler's index is ${index}: of ${count} shards, it must be from 0 to ${count - 1}.`,
    );
  }
  if (task === undefined) {
    throw new InvalidArgumentError(
      'Kubernetes does not say how many pods there are: give auto/n, with n as in completions of the Job.',
    );
  }
  const least = wholeNumber('SLURM_ARRAY_TASK_MIN', environment);
  const greatest = wholeNumber('SLURM_ARRAY_TASK_MAX', environment);
  const tasks = wholeNumber('SLURM_ARRAY_TASK_COUNT', environment);
  const step = wholeNumber('SLURM_ARRAY_TASK_STEP', environment) || 1;
  const number = least === undefined ? Number.NaN : (task - least) / step + 1;
  const isWhole = greatest !== undefined && least !== undefined && (greatest - least) / step + 1 === tasks;
  if (tasks !== undefined && isWhole && Number.isInteger(number)) return { number, count: tasks };
  throw new InvalidArgumentError(
    'This Slurm array has gaps, or is a part of one that ran before: give auto/n, and number the array from 0 to n - 1.',
  );
}

function wholeNumber(name: string, environment: Environment): number | undefined {
  const text = environment[name];
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`${name} is not a whole number.`);
}
