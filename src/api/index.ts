/** API v1: what requests and answers look like, and the client that speaks it. Runs anywhere. */

export * from './answers.ts';
export { type Client, type ClientOptions, createClient, LincirProblem } from './client.ts';
export * from './schemas.ts';
