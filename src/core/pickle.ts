/** Python pickles read as plain values: nothing that a pickle names is ever imported or run. */
// The instructions: https://github.com/python/cpython/blob/main/Lib/pickletools.py; those that torch.save
// writes are here.

import { LincirError, quoted } from './errors.ts';

/** What a pickle may refer to beyond plain values. */
export interface PickleWorld {
  /** The pickle's name in messages. */
  readonly subject: string;
  /** By `module.name`: our stand-in for a Python function, or undefined for what may be named but not called. */
  readonly globals: ReadonlyMap<string, ((args: readonly unknown[]) => unknown) | undefined>;
  /** Beginning of the names of classes whose objects may occur. They come as `PickledObject`: their attributes, and nothing else. */
  readonly classes?: string;
  /** Our stand-in for the object that a persistent id means. */
  readonly persistent: (id: unknown) => unknown;
}

/** An object of a class in the pickle's world: what Python would set as its attributes. */
export class PickledObject {
  readonly class: string;
  attributes: ReadonlyMap<unknown, unknown> = new Map();

  constructor(name: string) {
    this.class = name;
  }
}

/** A global of the world as a value. */
interface PickleGlobal {
  readonly global: string;
}

/** The state of reading. Values are shared, never copied, so what is read stays as small as the pickle is. */
interface Machine {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly world: PickleWorld;
  readonly stack: unknown[];
  /** Heights of the stack at which open marks stand. */
  readonly marks: number[];
  readonly memo: Map<number, unknown>;
  at: number;
}

/** Enough for 40,000 tensors, but so few that even a pickle of empty dictionaries fits into memory. */
const instructionLimit = 2_000_000;
/** Short enough that comparing or hashing a key costs no more than an instruction. */
export const keyLengthLimit = 1000;

/**
 * Reads a pickle of protocol 2 to 5. Dictionaries come as Maps, lists as arrays, tuples as frozen arrays, integers
 * past 2^53 as bigint. Throws 'bad-file' for any unknown instruction or global.
 */
export function unpickle(bytes: Uint8Array, world: PickleWorld): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine: Machine = { bytes, view, world, stack: [], marks: [], memo: new Map(), at: 0 };
  for (let count = 0; count < instructionLimit; count += 1) {
    const code = String.fromCharCode(unsigned(machine, 1));
    if (code === STOP) {
      const value = pop(machine);
      if (machine.stack.length > 0 || machine.at < bytes.length) {
        throw badPickle(machine, 'one value and nothing after it', 'more');
      }
      return value;
    }
    const instruction = instructions.get(code);
    if (instruction === undefined) {
      throw badPickle(machine, 'instructions that torch.save writes', `the byte ${code.charCodeAt(0)}`);
    }
    instruction(machine);
  }
  throw badPickle(machine, `at most ${instructionLimit} instructions`, 'more');
}

export function isPickleGlobal(value: unknown): value is PickleGlobal {
  return typeof value === 'object' && value !== null && 'global' in value;
}

const STOP = '.';

/** The effect of each instruction, with its name in pickletools. */
const instructions: ReadonlyMap<string, (machine: Machine) => void> = new Map([
  ['\x80', protocol], // PROTO
  ['\x95', (machine: Machine) => void unsigned(machine, 8)], // FRAME: we do not need its length

  ['N', (machine) => push(machine, null)], // NONE
  ['\x88', (machine) => push(machine, true)], // NEWTRUE
  ['\x89', (machine) => push(machine, false)], // NEWFALSE
  ['K', (machine) => push(machine, unsigned(machine, 1))], // BININT1
  ['M', (machine) => push(machine, unsigned(machine, 2))], // BININT2
  ['J', (machine) => push(machine, unsigned(machine, 4) | 0)], // BININT, signed
  ['\x8a', (machine) => push(machine, longInteger(take(machine, unsigned(machine, 1))))], // LONG1
  ['G', (machine) => push(machine, machine.view.getFloat64(skip(machine, 8)))], // BINFLOAT, big-endian
  ['\x8c', (machine) => push(machine, text(machine, take(machine, unsigned(machine, 1))))], // SHORT_BINUNICODE
  ['X', (machine) => push(machine, text(machine, take(machine, unsigned(machine, 4))))], // BINUNICODE

  ['(', (machine) => void machine.marks.push(machine.stack.length)], // MARK
  [')', (machine) => push(machine, Object.freeze([]))], // EMPTY_TUPLE
  ['\x85', (machine) => push(machine, tuple(machine, 1))], // TUPLE1
  ['\x86', (machine) => push(machine, tuple(machine, 2))], // TUPLE2
  ['\x87', (machine) => push(machine, tuple(machine, 3))], // TUPLE3
  ['t', (machine) => push(machine, Object.freeze(popToMark(machine)))], // TUPLE
  [']', (machine) => push(machine, [])], // EMPTY_LIST
  ['a', (machine) => append(machine, [pop(machine)])], // APPEND
  ['e', (machine) => append(machine, popToMark(machine))], // APPENDS
  ['}', (machine) => push(machine, new Map())], // EMPTY_DICT
  ['s', (machine) => setItems(machine, tuple(machine, 2))], // SETITEM
  ['u', (machine) => setItems(machine, popToMark(machine))], // SETITEMS

  ['q', (machine) => memoize(machine, unsigned(machine, 1))], // BINPUT
  ['r', (machine) => memoize(machine, unsigned(machine, 4))], // LONG_BINPUT
  ['\x94', (machine) => memoize(machine, machine.memo.size)], // MEMOIZE
  ['h', (machine) => recall(machine, unsigned(machine, 1))], // BINGET
  ['j', (machine) => recall(machine, unsigned(machine, 4))], // LONG_BINGET

  ['c', (machine) => pushGlobal(machine, line(machine), line(machine))], // GLOBAL
  ['\x93', (machine) => pushGlobal(machine, ...tuple(machine, 2))], // STACK_GLOBAL
  ['R', reduce], // REDUCE
  ['\x81', newObject], // NEWOBJ
  ['b', build], // BUILD
  ['Q', (machine) => push(machine, machine.world.persistent(pop(machine)))], // BINPERSID
]);

function protocol(machine: Machine): void {
  const version = unsigned(machine, 1);
  if (version < 2 || version > 5) {
    throw badPickle(machine, 'protocol 2 to 5', String(version));
  }
}

function pushGlobal(machine: Machine, module: unknown, name: unknown): void {
  if (typeof module !== 'string' || typeof name !== 'string') {
    throw badPickle(machine, 'the name of a global', 'something else');
  }
  const global = `${module}.${name}`;
  if (!machine.world.globals.has(global) && !isClass(machine.world, global)) {
    throw refusal(machine, global);
  }
  push(machine, { global } satisfies PickleGlobal);
}

function reduce(machine: Machine): void {
  const [callee, args] = tuple(machine, 2);
  const call = isPickleGlobal(callee) ? machine.world.globals.get(callee.global) : undefined;
  if (call === undefined) {
    throw refusal(machine, isPickleGlobal(callee) ? callee.global : 'a value that is no function');
  }
  if (!Array.isArray(args)) {
    throw badPickle(machine, 'a tuple of arguments', 'something else');
  }
  push(machine, call(args));
}

function isClass({ classes }: PickleWorld, global: string): boolean {
  return classes !== undefined && global.startsWith(classes);
}

/** Makes an object without calling anything: what `__new__` gives before `__init__`. */
function newObject(machine: Machine): void {
  const [callee, args] = tuple(machine, 2);
  if (!isPickleGlobal(callee) || !isClass(machine.world, callee.global)) {
    throw refusal(machine, isPickleGlobal(callee) ? callee.global : 'a value that is no class');
  }
  if (!Array.isArray(args) || args.length > 0) {
    throw badPickle(machine, 'an object made of nothing', 'arguments');
  }
  push(machine, new PickledObject(callee.global));
}

/** Gives an object its attributes. Dictionaries may have some, too (`_metadata`), and nothing reads those. */
function build(machine: Machine): void {
  const attributes = pop(machine);
  const target = peek(machine);
  if (target instanceof PickledObject && attributes instanceof Map) {
    target.attributes = attributes;
  } else if (!(target instanceof Map)) {
    throw badPickle(machine, 'attributes of dictionaries only, and of modules', 'those of another value');
  }
}

function append(machine: Machine, values: readonly unknown[]): void {
  const list = peek(machine);
  if (!Array.isArray(list) || Object.isFrozen(list)) {
    throw badPickle(machine, 'a list to append to', 'something else');
  }
  for (const value of values) {
    list.push(value);
  }
}

function setItems(machine: Machine, keysAndValues: readonly unknown[]): void {
  const dictionary = peek(machine);
  if (!(dictionary instanceof Map) || keysAndValues.length % 2 !== 0) {
    throw badPickle(machine, 'a dictionary and pairs to put in', 'something else');
  }
  for (let index = 0; index < keysAndValues.length; index += 2) {
    const key = keysAndValues[index];
    if (typeof key === 'string' && key.length > keyLengthLimit) {
      throw badPickle(machine, `keys of at most ${keyLengthLimit} characters`, `one of ${key.length}`);
    }
    dictionary.set(key, keysAndValues[index + 1]);
  }
}

function memoize(machine: Machine, index: number): void {
  machine.memo.set(index, peek(machine));
}

function recall(machine: Machine, index: number): void {
  if (!machine.memo.has(index)) {
    throw badPickle(machine, 'a value that was remembered', `none under ${index}`);
  }
  push(machine, machine.memo.get(index));
}

function push(machine: Machine, value: unknown): void {
  machine.stack.push(value);
}

function peek(machine: Machine): unknown {
  return machine.stack[requireValues(machine, 1)];
}

function pop(machine: Machine): unknown {
  requireValues(machine, 1);
  return machine.stack.pop();
}

function tuple(machine: Machine, size: 1): readonly [unknown];
function tuple(machine: Machine, size: 2): readonly [unknown, unknown];
function tuple(machine: Machine, size: number): readonly unknown[];
function tuple(machine: Machine, size: number): readonly unknown[] {
  return Object.freeze(machine.stack.splice(requireValues(machine, size)));
}

function popToMark(machine: Machine): unknown[] {
  const mark = machine.marks.pop();
  if (mark === undefined) {
    throw badPickle(machine, 'a mark', 'none');
  }
  return machine.stack.splice(mark);
}

/** Where the top `count` values of the stack begin. They must stand above the last mark. */
function requireValues(machine: Machine, count: number): number {
  const begin = machine.stack.length - count;
  if (begin < (machine.marks.at(-1) ?? 0)) {
    throw badPickle(machine, `${count} values to work on`, 'fewer');
  }
  return begin;
}

/** Steps over `length` bytes, and returns where they begin. */
function skip(machine: Machine, length: number): number {
  const begin = machine.at;
  if (begin + length > machine.bytes.length) {
    throw badPickle(machine, `${length} more bytes`, `${machine.bytes.length - begin}`);
  }
  machine.at += length;
  return begin;
}

function take(machine: Machine, length: number): Uint8Array {
  const begin = skip(machine, length);
  return machine.bytes.subarray(begin, begin + length);
}

/** An unsigned little-endian number of 1, 2, 4 or 8 bytes. */
function unsigned(machine: Machine, length: 1 | 2 | 4 | 8): number {
  return take(machine, length).reduceRight((value, byte) => value * 256 + byte, 0);
}

function longInteger(bytes: Uint8Array): number | bigint {
  const words = new BigUint64Array(Math.ceil(bytes.length / 8));
  new Uint8Array(words.buffer).set(bytes);
  const unsigned = words.reduceRight((sum, word) => (sum << 64n) | word, 0n);
  const value = BigInt.asIntN(8 * bytes.length, unsigned);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** The text up to the next line end. Steps over both. */
function line(machine: Machine): string {
  const end = machine.bytes.indexOf(0x0a, machine.at);
  if (end < 0) {
    throw badPickle(machine, 'a line end', 'none');
  }
  return text(machine, take(machine, end + 1 - machine.at).subarray(0, -1));
}

function text(machine: Machine, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw badPickle(machine, 'text in UTF-8', 'other bytes');
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function refusal(machine: Machine, name: string): LincirError {
  return new LincirError('bad-file', {
    subject: machine.world.subject,
    expected: 'tensors, dictionaries, lists and plain values',
    found: `a use of ${quoted(name)}, which lincir refuses to run`,
    todo: 'save only the state_dict with torch.save, or use safetensors',
  });
}

function badPickle(machine: Machine, expected: string, found: string): LincirError {
  const subject = `${machine.world.subject}: byte ${machine.at}`;
  return new LincirError('bad-file', { subject, expected, found, todo: 'get the file again' });
}
