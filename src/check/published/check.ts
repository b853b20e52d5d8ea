/** Checks a model against all values that are known of it: those that others published, or those of a file. */

import type { Clip } from '../../clip/index.ts';
import { LincirError } from '../../core/index.ts';
import { type ComparedValue, compareValues } from './compare.ts';
import { type PictureOptions, publishedPicture } from './pictures.ts';
import { readRecorded, recordedPicture } from './recorded.ts';
import { type KnownValues, type PublishedValues, publishedValues } from './values.ts';

/** What a source says of one picture, and what the model gives here. */
export interface CheckedValues extends Pick<KnownValues, 'kind' | 'source'> {
  /** The picture's file. */
  readonly picture: string;
  /** Empty if the picture could not be had. */
  readonly values: readonly ComparedValue[];
  /** Why nothing was compared. */
  readonly problem?: LincirError;
}

/**
 * Compares a model with the published values of the model `id`: an empty list if there are none. A picture that cannot be had
 * does not end the others.
 * @param known in place of ours, for tests
 * @throws LincirError 'bad-file' for another picture under a picture's name, and what `compareValues` throws
 */
export async function checkPublished(
  clip: Clip,
  id: string,
  options: PictureOptions = {},
  known: readonly PublishedValues[] = publishedValues,
): Promise<CheckedValues[]> {
  const checked: CheckedValues[] = [];
  for (const row of known.filter(({ model }) => model === id)) {
    const { kind, source } = row;
    const picture = row.picture.file;
    try {
      const bytes = await publishedPicture(row.picture, options);
      const values = await compareValues(clip, new File([bytes], picture), row);
      checked.push({ picture, kind, source, values });
    } catch (problem) {
      const isMissing = problem instanceof LincirError && ['network', 'not-found'].includes(problem.code);
      if (!isMissing) throw problem;
      checked.push({ picture, kind, source, values: [], problem });
    }
  }
  return checked;
}

/** Compares a model with the values that a file has of it. Throws LincirError as `readRecorded` and `compareValues`. */
export async function checkRecorded(clip: Clip, file: string): Promise<CheckedValues[]> {
  const checked: CheckedValues[] = [];
  for (const row of await readRecorded(file, clip)) {
    const { picture, kind, source } = row;
    const values = await compareValues(clip, new File([await recordedPicture(row)], picture), row);
    checked.push({ picture, kind, source, values });
  }
  return checked;
}
