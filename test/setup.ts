/** Before all tests: compiled code is kept, since the hundreds of processes that they start load the same modules. */

import { join } from 'node:path';

process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../node_modules/.cache/compiled');
