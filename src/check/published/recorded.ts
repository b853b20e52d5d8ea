/** Values of one's own: recorded from a model, and read again to be compared with what it gives elsewhere or later. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { z } from 'zod';
import type { Clip } from '../../clip/index.ts';
import { checkedValue, LincirError, listOf } from '../../core/index.ts';
import { asLincirError, readJsonFile, writeJsonFile } from '../../files/index.ts';
import { valuesOf } from './compare.ts';
import { type KnownValues, valueKinds } from './values.ts';

/** Values of a picture on this machine. */
export interface RecordedValues extends KnownValues {
  /** The model's name, for people. */
  readonly model: string;
  /** Of the model. Absent where somebody else wrote the file: then `model` must be its id. */
  readonly fingerprint?: string | undefined;
  /** Its path. */
  readonly picture: string;
  /** Of the picture's bytes, in hex. */
  readonly sha256?: string | undefined;
}

/** What is recorded of each picture. Change them in the file: they are only examples. */
const texts = ['a photo of a cat', 'a photo of a dog', 'a photo of a person', 'a diagram'];
/** Two machines differ in the last bits: by 1e-6 with random weights. */
const tolerance = { absolute: 1e-4, relative: 0 };

const finite = z.number('a number');
const schema = z.object({
  version: z.literal(1),
  values: listOf(
    z
      .object({
        model: z.string(),
        fingerprint: z.string().optional(),
        picture: z.string(),
        sha256: z.string().optional(),
        texts: z.array(z.string()).min(1, 'at least one text').max(1000, 'at most 1,000 texts'),
        kind: z.enum(valueKinds),
        values: z.array(finite),
        tolerance: z.object({ absolute: finite.nonnegative(), relative: finite.nonnegative() }),
        source: z.string(),
      })
      .refine(({ texts, values }) => texts.length === values.length, 'a value for each text'),
  ),
});

/** Writes a model's cosines of pictures and a few texts. Throws LincirError 'io', and what encoding throws. */
export async function recordValues(
  file: string,
  clip: Clip,
  pictures: readonly string[],
  source: string,
): Promise<void> {
  const values: RecordedValues[] = [];
  for (const picture of pictures) {
    values.push({
      ...{ model: clip.id ?? clip.folder, fingerprint: clip.fingerprint },
      picture: relative(dirname(resolve(file)), resolve(picture)).replaceAll('\\', '/'),
      sha256: createHash('sha256')
        .update(await bytesOf(picture))
        .digest('hex'),
      ...{ texts, kind: 'cosines', values: await valuesOf(clip, picture, texts, 'cosines') },
      ...{ tolerance, source },
    });
  }
  await writeJsonFile(file, { version: 1, values });
}

/**
 * The values in a file that are a model's: by its fingerprint, or else by its id. Paths of pictures are relative to the file.
 * @throws LincirError 'not-found', 'bad-file', 'io'; 'bad-argument' if the file has none of this model
 */
export async function readRecorded(
  file: string,
  clip: Pick<Clip, 'id' | 'folder' | 'fingerprint'>,
): Promise<RecordedValues[]> {
  const { values } = checkedValue(schema, await readJsonFile(file), file);
  const own = values.filter(({ model, fingerprint }) =>
    fingerprint === undefined ? model === clip.id : fingerprint === clip.fingerprint,
  );
  if (own.length > 0) {
    return own.map((row) => ({ ...row, picture: resolve(dirname(file), row.picture) }));
  }
  throw new LincirError('bad-argument', {
    subject: file,
    expected: `values of ${clip.id ?? clip.folder} (fingerprint ${clip.fingerprint})`,
    found: `${[...new Set(values.map(({ model, fingerprint }) => `${model} (${fingerprint ?? 'any'})`))].join(', ') || 'none'}`,
    todo: 'record this model, or give the other one',
  });
}

/** The bytes of a recorded picture. Throws LincirError 'not-found', 'io'; 'bad-file' if it is no longer the same. */
export async function recordedPicture({ picture, sha256 }: RecordedValues): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await bytesOf(picture);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (sha256 === undefined || found === sha256) return bytes;
  throw new LincirError('bad-file', {
    subject: picture,
    expected: `the picture that was recorded, with the SHA-256 ${sha256}`,
    found,
    todo: 'record the values again',
  });
}

async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return await readFile(path).catch((error: unknown) => {
    throw asLincirError(error, path, 'read');
  });
}
