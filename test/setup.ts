/** Before all tests: compiled code is kept, since their hundreds of processes load the same modules; and no cache is a user's. */

import { join } from 'node:path';

process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../node_modules/.cache/compiled');
process.env.LINCIR_CACHE ??= join(import.meta.dirname, '../node_modules/.cache/lincir');
