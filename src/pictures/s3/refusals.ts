/** What object storage refuses, as errors that say what to do. */

import { LincirError } from '../../core/index.ts';

const known = 'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, where they are lent, AWS_SESSION_TOKEN';

/**
 * @param code of S3, such as `NoSuchKey`; undefined if the answer has none, as to HEAD
 * @param isSigned whether there were credentials
 */
export function refusalOf(
  status: number,
  code: string | undefined,
  subject: string,
  isSigned: boolean,
): LincirError {
  const found = `HTTP status ${status}${code === undefined ? '' : ` ${code}`}`;
  if (status === 404) {
    const expected = code === 'NoSuchBucket' ? 'a bucket of this name' : 'it in object storage';
    return new LincirError('not-found', { subject, expected, found, todo: 'check the address' });
  }
  if (status === 412) {
    return new LincirError('io', {
      subject,
      expected: 'an object that does not change while it is read',
      found: 'one that changes',
      todo: 'run the command again when nothing writes it',
    });
  }
  if (code === 'ExpiredToken' || code === 'TokenRefreshRequired') {
    const todo = 'get new credentials, set them, and run the same command again: it goes on';
    return new LincirError('network', { subject, expected: 'credentials that are valid', found, todo });
  }
  if (status === 401 || status === 403) {
    const todo = isSigned ? `check the credentials in ${known}` : `set ${known}`;
    return new LincirError('network', { subject, expected: 'permission to read it', found, todo });
  }
  const todo = 'check AWS_ENDPOINT_URL, AWS_REGION, and whether the credentials have expired';
  return new LincirError('network', { subject, expected: 'HTTP status 200', found, todo });
}
