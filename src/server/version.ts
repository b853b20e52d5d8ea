/** The package's version, which the server tells. */

import { readFileSync } from 'node:fs';
import { parseJson } from '../core/index.ts';

const { version } = parseJson(
  readFileSync(new URL('../../package.json', import.meta.url)),
  'package.json',
) as {
  version: string;
};

export { version };
