/** The MCP server for the program that has started this process, over standard input and output. */

import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { SearchService } from '../../service/index.ts';
import { type McpSettings, mcpServer, messageBytes } from './server.ts';

/** Answers at once, and with `service` as soon as it is open, until the client has gone or `signal` is aborted. */
export async function serveMcpOverStdio(
  service: () => Promise<SearchService>,
  settings: McpSettings,
  signal: AbortSignal,
): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const transport = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: messageBytes });
  const served = serveStdio(() => mcpServer(service, settings), {
    transport,
    // Nothing changes of what clients could subscribe to.
    maxSubscriptions: 0,
  });
  // It closes when its input ends, and when it cannot read or write.
  const { onclose } = transport;
  transport.onclose = () => {
    onclose?.();
    resolve();
  };
  signal.addEventListener('abort', () => void served.close(), { once: true });
  if (signal.aborted) await served.close();
  await closed;
}
