/** The package's one error class. It says what was wrong, with what, and what to do about it. */

export type ErrorCode =
  /** A value from a caller or a command line is not usable. */
  | 'bad-argument'
  /** A file's bytes do not fit its format. */
  | 'bad-file'
  /** A model's or a run's configuration does not describe something this package can do. */
  | 'bad-config'
  /** A file, folder, model or name does not exist. */
  | 'not-found'
  /** The operating system refused to read or write. */
  | 'io'
  /** A server could not be reached or answered with something unusable. */
  | 'network'
  /** The compute device is missing or failed. */
  | 'device'
  /** A server has too much to do to answer in time. */
  | 'busy';

/** The parts of a message: a type, so no error can forget one. */
export interface Problem {
  /** The file, line, field or option that is at fault. */
  readonly subject: string;
  readonly expected: string;
  readonly found: string;
  /** What the user can do next. */
  readonly todo?: string;
  /** Seconds after which trying again makes sense, of 'busy'. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/** Every failure this package foresees. Its message is one line that a user can act on. */
export class LincirError extends Error {
  readonly code: ErrorCode;
  readonly problem: Problem;

  constructor(code: ErrorCode, problem: Problem) {
    const shown = shortened(problem);
    const advice = shown.todo === undefined ? '' : `; ${shown.todo}`;
    super(oneLine(`${shown.subject}: expected ${shown.expected}, found ${shown.found}${advice}`), {
      cause: problem.cause,
    });
    this.name = 'LincirError';
    this.code = code;
    this.problem = shown;
  }
}

/**
 * An option as messages name it, alone or with a value: `maxPixels`, `method: 'sum'`. The command line puts its flag there.
 * Messages can only name keys that `Options` has.
 */
export function option<Options>(name: keyof Options & string, value?: string): string {
  return value === undefined ? `\`${name}\`` : `\`${name}: '${value}'\``;
}

/** What a call needs to be a remedy. */
interface CallOptions {
  readonly model?: string;
  readonly precision?: string;
  readonly targetPad?: number;
}

/**
 * A function as messages name it, alone or of an index, also with options: `reindex('my.lance')` with `precision: 'int8'`. The
 * command line puts its command there, for users to paste: give all options that it needs.
 */
export function call(
  name: 'openIndex' | 'reindex' | 'trainPhi',
  index?: string,
  options: CallOptions = {},
): string {
  const called = `\`${name}(${index === undefined ? '' : `'${index}'`})\``;
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const shown = given.map(
    ([key, value]) => `\`${key}: ${typeof value === 'string' ? `'${value}'` : value}\``,
  );
  return shown.length === 0 ? called : `${called} with ${shown.join(', ')}`;
}

const messageLimit = 970;
const partLimit = 240;

/** A value from data, made safe for a message: one line, no control characters, at most `limit` characters. */
export function quoted(value: unknown, limit = 80): string {
  return unquoted(typeof value === 'string' ? JSON.stringify(value) : String(value), limit);
}

/** Text that has quotes of its own, such as JSON or another's message, made safe likewise, without further quotes. */
export function unquoted(text: string, limit = 80): string {
  const line = oneLine(text);
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}

/** The first `limit` names, for a message, and how many more there are; `none` if there is no name. */
export function listed(names: readonly string[], none: string, limit = 20): string {
  const shown = names.slice(0, limit).map((name) => quoted(name));
  if (names.length > limit) shown.push(`${names.length - limit} more`);
  return shown.join(', ') || none;
}

/** The operating system's name for an error, such as ENOENT; empty if the error comes from elsewhere. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Errors that say nothing about the file: it can be read once the machine or its network is well again. */
const passing = 'EMFILE ENFILE ENOMEM ESTALE ENOTCONN EHOSTDOWN ETIMEDOUT ENODEV'.split(' ');

/** Whether an error is the machine's, not the file's. */
export function isPassing(error: unknown): boolean {
  return error instanceof Error && (passing.includes(errorCode(error)) || isPassing(error.cause));
}

/** Keeps a message below a thousand characters, whatever others put into it: a part that is too long loses its middle. */
function shortened(problem: Problem): Problem {
  const { subject, expected, found, todo = '' } = problem;
  if (subject.length + expected.length + found.length + todo.length <= messageLimit) return problem;
  const short = (text: string) =>
    text.length <= partLimit ? text : `${text.slice(0, partLimit / 2)}…${text.slice(1 - partLimit / 2)}`;
  return {
    ...problem,
    ...{ subject: short(subject), expected: short(expected), found: short(found) },
    ...(todo && { todo: short(todo) }),
  };
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}
