/** Whether sources still exist, on disk or in object storage. */

import { stat } from 'node:fs/promises';
import { errorCode, LincirError } from '../core/index.ts';
import { isS3 } from './s3/connection.ts';
import { s3Source } from './s3/images.ts';

/** @returns a function that takes what cannot be told for there; storage that does not answer is asked once */
export function presence(signal?: AbortSignal): (path: string) => Promise<boolean> {
  let isAnswered = true;
  const remote = async (path: string): Promise<boolean> => {
    if (!isAnswered) return true;
    try {
      await s3Source(path, signal);
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof LincirError)) throw error;
      if (error.code === 'not-found') return false;
      isAnswered = false;
      return true;
    }
  };
  const onDisk = (path: string): Promise<boolean> =>
    stat(path).then(
      () => true,
      (error: unknown) => !['ENOENT', 'ENOTDIR'].includes(errorCode(error)),
    );
  return (path) => (isS3(path) ? remote(path) : onDisk(path));
}
