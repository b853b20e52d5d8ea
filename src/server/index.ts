/** The server: API v1, the page and other protocols over HTTP, with one service behind them. */

export { createApp } from './app.ts';
export { expectGuarded } from './exposure.ts';
export { Indexing, type IndexToUpdate } from './indexing/index.ts';
export { type LendingSettings, lend } from './lending.ts';
export { serveMcpOverStdio } from './mcp/index.ts';
export { Metrics } from './metrics.ts';
export { type RunningServer, serve } from './serve.ts';
export { defaultSettings, type ServerSettings } from './settings.ts';
