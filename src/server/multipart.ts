/** Forms as curl -F and browsers send them: files, and fields as the JSON of the same request has them. */

import type { Context } from 'hono';
import { z } from 'zod';
import { LincirError } from '../core/index.ts';
import { parsedJson, readBody } from './requests.ts';

/** More parts than any request of ours has, and few enough to take apart at once. */
const mostParts = 64;

export interface SentFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Form {
  /** The files under `image`, in their order. */
  readonly files: readonly SentFile[];
  /** All else, to be checked by the request's schema. */
  readonly fields: Record<string, unknown>;
}

/**
 * Reads a multipart body of at most `limit` bytes.
 * @param shape the fields of the request: those of text come as they are, others are JSON
 * @throws a refusal, or 'bad-argument'
 */
export async function readForm(
  context: Context,
  limit: number,
  shape: Readonly<Record<string, z.ZodType>>,
): Promise<Form> {
  const bytes = await readBody(context, limit);
  const type = context.req.header('content-type')!;
  expectFewParts(bytes, type);
  let form: FormData;
  try {
    form = await new Response(bytes, { headers: { 'content-type': type } }).formData();
  } catch (cause) {
    throw badForm('parts that its boundary divides', 'something else', cause);
  }
  const files: SentFile[] = [];
  const fields: Record<string, unknown> = Object.create(null);
  for (const key of new Set(form.keys())) {
    const values = form.getAll(key);
    for (const file of values) {
      if (typeof file === 'string') continue;
      if (key !== 'image') throw badForm('files under the name `image` only', 'a file of another name');
      files.push({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });
    }
    const texts = values.filter((value) => typeof value === 'string');
    if (texts.length > 0) fields[key] = fieldValue(shape[key], texts);
  }
  return { files, fields };
}

/** A field's value. A list is one of JSON, or several fields of the name. */
function fieldValue(schema: z.ZodType | undefined, texts: readonly string[]): unknown {
  const type = schema && innermost(schema);
  if (!(type instanceof z.ZodArray)) return texts.length === 1 ? itemValue(type, texts[0]!) : texts;
  const list = texts.length === 1 ? jsonOf(texts[0]!) : undefined;
  return Array.isArray(list) ? list : texts.map((text) => itemValue(type.element as z.ZodType, text));
}

/** Text as it is, and all else as JSON. The schema says what is wrong with what is no JSON. */
function itemValue(type: z.ZodType | undefined, text: string): unknown {
  return !type || type instanceof z.ZodString || type instanceof z.ZodEnum ? text : (jsonOf(text) ?? text);
}

/** undefined for what is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return parsedJson(new TextEncoder().encode(text));
  } catch {
    return undefined;
  }
}

function innermost(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional ? innermost(schema.unwrap() as z.ZodType) : schema;
}

/** Counts before anything is made of the parts: a small body can have a million. */
function expectFewParts(bytes: Uint8Array<ArrayBuffer>, type: string): void {
  const [, quoted, plain] = /boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(type) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw badForm('a boundary in its content type', 'none');
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let parts = 0;
  for (let at = whole.indexOf(boundary); at >= 0; at = whole.indexOf(boundary, at + boundary.length)) {
    parts += 1;
    if (parts > mostParts + 1) throw badForm(`at most ${mostParts} parts`, 'more');
  }
}

function badForm(expected: string, found: string, cause?: unknown): LincirError {
  return new LincirError('bad-argument', { subject: 'the form', expected, found, cause });
}
