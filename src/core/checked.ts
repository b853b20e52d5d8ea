/** Checks what files say against a schema. The message names file and field, and only the first problem is looked for. */

import { z } from 'zod';
import { LincirError, quoted } from './errors.ts';

/**
 * Checks a value from a file against `schema`.
 * @param subject the file and, where it has them, the line
 * @param todo what the user can do about a wrong value
 * @throws LincirError 'bad-file' naming the field that does not fit
 */
export function checkedValue<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  subject: string,
  todo?: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new LincirError('bad-file', {
    subject: [subject, ...path.map(fieldName)].join(': '),
    expected: message
      .replace(/^(Invalid \w+|Too \w+): expected /, '')
      .replace(/^Unrecognized key/, 'no field')
      .replace(/, received \w+$/, '')
      .replace(/^Invalid input$/, 'another value'),
    found: shortJson(path.reduce(member, value)),
    todo,
    cause: parsed.error,
  });
}

/** A list that is checked up to the first wrong item. zod's own list reports every one, and a hostile file has millions. */
export function listOf<Item extends z.ZodType>(item: Item, error?: string) {
  return z.array(z.unknown(), error).transform((values, context): z.output<Item>[] => {
    const items: z.output<Item>[] = [];
    for (const [at, value] of values.entries()) {
      const parsed = item.safeParse(value);
      if (!parsed.success) return refuse(context, at, parsed.error);
      items.push(parsed.data);
    }
    return items;
  });
}

/** An object with any keys, checked in the same way. */
export function recordOf<Item extends z.ZodType>(item: Item, error?: string) {
  return anyObject(error).transform((object, context): Record<string, z.output<Item>> => {
    const items: Record<string, unknown> = { ...object };
    for (const key of Object.keys(items)) {
      const parsed = item.safeParse(items[key]);
      if (!parsed.success) return refuse(context, key, parsed.error);
      items[key] = parsed.data;
    }
    return items as Record<string, z.output<Item>>;
  });
}

/** The beginning of a value as JSON, for messages. The rest is not read: it may be a million times as long. */
export function shortJson(value: unknown, limit = 80): string {
  if (value === undefined) return 'nothing';
  const text = jsonBeginning(value, limit);
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

/** At least `room` characters, or all of them. */
function jsonBeginning(value: unknown, room: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room + 1));
  if (typeof value !== 'object' || value === null) return `${JSON.stringify(value)}`;
  const isList = Array.isArray(value);
  let text = '';
  for (const key of isList ? value.keys() : Object.keys(value)) {
    if (text.length > room) return `${isList ? '[' : '{'}${text}`;
    const item = jsonBeginning(value[key as keyof typeof value], room - text.length);
    text += `${text && ','}${isList ? '' : `${jsonBeginning(String(key), room)}:`}${item}`;
  }
  return isList ? `[${text}]` : `{${text}}`;
}

const anyObject = (error: string | undefined) =>
  z.custom<Record<string, unknown>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    error ?? 'an object',
  );

function refuse(context: z.core.$RefinementCtx, place: PropertyKey, error: z.ZodError): never {
  const issue = error.issues[0]!;
  // `addIssue` would put the whole list into the message for an item that is not there.
  context.issues.push({ ...issue, path: [place, ...issue.path] } as z.core.$ZodRawIssue);
  return z.NEVER;
}

/** The issue's own input is the whole object where a rule for several fields names one of them. */
function member(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}

/** A key as it is in the data, where it may be anything. */
function fieldName(part: PropertyKey): string {
  return /^[\w.-]{1,80}$/.test(String(part)) ? String(part) : quoted(part);
}
