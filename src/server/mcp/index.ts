/** What assistants use: the served indexes as tools and resources of the Model Context Protocol (MCP). */

export { mcpRoutes } from './routes.ts';
export { type McpSettings, mcpServer } from './server.ts';
export { serveMcpOverStdio } from './stdio.ts';
