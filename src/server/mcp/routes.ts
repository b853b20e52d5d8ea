/** `/mcp`: the MCP server over HTTP. Host, Origin and keys are checked before a request comes here. */

import { createMcpHandler } from '@modelcontextprotocol/server';
import { Hono } from 'hono';
import type { SearchService } from '../../service/index.ts';
import { refusal } from '../problems.ts';
import { readJsonBody } from '../requests.ts';
import { type McpSettings, mcpServer, messageBytes } from './server.ts';

/** To be mounted at `/mcp`. */
export function mcpRoutes(service: SearchService, settings: McpSettings): Hono {
  const handler = createMcpHandler(() => mcpServer(async () => service, settings), {
    // Nothing changes of what clients could subscribe to, and their streams would stay open.
    maxSubscriptions: 0,
  });
  return new Hono()
    .post('/', async (context) => {
      const parsedBody = await readJsonBody(context, messageBytes);
      // The protocol has no batches since 2025-06-18, and one request could ask for thousands of searches.
      if (Array.isArray(parsedBody)) {
        throw refusal(400, { subject: 'the body', expected: 'one message', found: 'a list' });
      }
      return unbound(await handler.fetch(context.req.raw, { parsedBody }));
    })
    .all('/', async ({ req }) => unbound(await handler.fetch(req.raw)));
}

/** The SDK keeps connections open that their clients want closed. That is not for an answer to say. */
function unbound(response: Response): Response {
  response.headers.delete('connection');
  return response;
}
