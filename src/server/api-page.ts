/** The page at `/api`, on which people read the API's description and try it. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Context, Hono } from 'hono';
import { assetRoutes } from './assets.ts';
import { pagePolicy } from './headers.ts';
import { openApiDocument } from './openapi/document.ts';

/** Swagger UI, as `npm run build` packs it; before that, where npm puts it. */
const packed = fileURLToPath(new URL('../../dist/swagger-ui', import.meta.url));
const installed = fileURLToPath(new URL('../../node_modules/swagger-ui-dist', import.meta.url));

/** What is loaded of it. */
const files = ['swagger-ui-bundle.js', 'swagger-ui.css'];

const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · lincir</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="api/swagger-ui.css">
<div id="api"></div>
<script src="api/swagger-ui-bundle.js"></script>
<script src="api/start.js"></script>
</html>
`;

const script = `SwaggerUIBundle({ url: 'api/v1/openapi.json', dom_id: '#api', tryItOutEnabled: true, validatorUrl: null });\n`;

export function apiPageRoutes(): Hono {
  const sent = (context: Context, body: string, type: string) =>
    context.body(body, 200, {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': 'no-cache',
      'content-security-policy': pagePolicy,
    });
  return new Hono()
    .get('/', (context) => sent(context, html, 'text/html'))
    .get('/start.js', (context) => sent(context, script, 'text/javascript'))
    .get('/v1/openapi.json', (context) => context.json(openApiDocument()))
    .route('/', assetRoutes(existsSync(packed) ? packed : installed, files));
}
