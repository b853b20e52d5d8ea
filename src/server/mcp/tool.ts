/** What the tools share: the check of what a model sends, and answers, errors too, that it can act on. */

import { inspect } from 'node:util';
import type {
  CallToolResult,
  McpServer,
  ServerContext,
  StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import type { z } from 'zod';
import type { RequestScope, SearchService } from '../../service/index.ts';
import { isForClient } from '../problems.ts';
import { checkedRequest } from '../requests.ts';
import type { ServerSettings } from '../settings.ts';

/** What tools and resources answer from. */
export interface Answering {
  /** The service, when it is open. */
  readonly service: () => Promise<SearchService>;
  /** Until when and for whom an answer is worth something. */
  readonly scope: (context: ServerContext) => RequestScope;
  readonly onError: ServerSettings['onError'];
}

interface Tool<Input extends z.ZodObject> {
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output?: z.ZodObject;
  /** Whether a call may fetch something from the web. */
  readonly fetches?: boolean;
  readonly call: (
    input: z.infer<Input>,
    service: SearchService,
    scope: RequestScope,
  ) => Promise<CallToolResult>;
}

/** Adds a tool that changes nothing. */
export function addTool<Input extends z.ZodObject>(
  server: McpServer,
  name: string,
  { title, description, input, output, fetches = false, call }: Tool<Input>,
  { service, scope, onError }: Answering,
): void {
  const annotations = { readOnlyHint: true, idempotentHint: true, openWorldHint: fetches };
  const config = {
    ...{ title, description, annotations, inputSchema: shownSchema(input) },
    ...(output && { outputSchema: output }),
  };
  server.registerTool<StandardSchemaWithJSON, StandardSchemaWithJSON>(name, config, async (sent, context) => {
    try {
      return await call(checkedRequest(input, sent, 'arguments'), await service(), scope(context));
    } catch (error) {
      context.mcpReq.signal.throwIfAborted(); // Nobody reads the answer.
      return errorAnswer(error, onError);
    }
  });
}

/** Shows a schema to clients, and leaves the check to `checkedRequest`, whose errors say what to do. */
function shownSchema(schema: z.ZodObject): StandardSchemaWithJSON<unknown, unknown> {
  const { vendor, version, jsonSchema } = schema['~standard'];
  return { '~standard': { vendor, version, jsonSchema, validate: (value) => ({ value }) } };
}

/** An error that the model reads and can mend its call by. */
function errorAnswer(error: unknown, onError: ServerSettings['onError']): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: errorText(error, onError) }] };
}

/** An error in words. What is not the client's to mend stays here, since it may tell of our machine. */
export function errorText(error: unknown, onError: ServerSettings['onError']): string {
  if (!isForClient(error)) {
    onError(`error in MCP: ${inspect(error)}`);
    return 'lincir failed inside, not because of your call. Its log says why.';
  }
  const { subject, expected, found, todo, retryAfter } = error.problem;
  const wait = retryAfter === undefined ? undefined : `call again in ${Math.ceil(retryAfter)} seconds`;
  const advice = [todo, wait].filter((text) => text !== undefined).join('; ');
  const lines = [`Problem with ${subject}`, `Expected: ${expected}`, `Found: ${found}`];
  return [...lines, ...(advice ? [`What to do: ${advice}`] : [])].join('\n');
}
