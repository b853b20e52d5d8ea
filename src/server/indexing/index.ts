/** Indexing over HTTP, of folders that the server knows. */

export { Indexing, type IndexToUpdate } from './indexing.ts';
export { indexingRoutes } from './routes.ts';
