/** The page at `/`, as `npm run web` makes it of `web/`. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import { assetRoutes } from './assets.ts';

const built = fileURLToPath(new URL('../../dist/web', import.meta.url));

export function pageRoutes(folder = built): Hono {
  if (existsSync(join(folder, 'index.html'))) return assetRoutes(folder);
  const text =
    'The page is not built. In a clone, run npm run web, and start the server again.\nThe API is at /api.\n';
  return new Hono().get('/', (context) => context.text(text, 503));
}
