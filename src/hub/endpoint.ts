/** The hub's address. */

import { LincirError, quoted } from '../core/index.ts';

export const hubAddress = 'https://huggingface.co';

/** An address without a slash at its end. Throws LincirError 'bad-argument' for what is not an http(s) address. */
export function checkedEndpoint(text: string, subject: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search) {
    throw new LincirError('bad-argument', {
      subject,
      expected: 'an http or https address without a user name or a query',
      found: url?.password ? 'one with a password' : quoted(text),
    });
  }
  return text.replace(/\/+$/, '');
}
