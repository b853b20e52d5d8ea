/** clip-retrieval's protocol: its clients and its web front work with this server as they are. */

export { knnRoutes } from './routes.ts';
