/** Routes of indexing: which folders there are, what is being indexed, and its start and end. */

import { Hono } from 'hono';
import { indexingRequest } from '../../api/index.ts';
import { refusal } from '../problems.ts';
import { checkedRequest, readJsonBody } from '../requests.ts';
import type { ServerSettings } from '../settings.ts';

export function indexingRoutes(indexing: NonNullable<ServerSettings['indexing']>): Hono {
  return new Hono()
    .get('/', async (context) => context.json(await indexing.state()))
    .post('/', async (context) => {
      const request = checkedRequest(indexingRequest, await readJsonBody(context));
      if (await indexing.start(request)) return context.json(await indexing.state(), 202);
      throw refusal(409, {
        subject: 'indexing',
        expected: 'nothing that is being indexed',
        found: 'that something is',
        todo: 'wait for its end, or stop it',
      });
    })
    .delete('/', async (context) => {
      indexing.stop();
      return context.json(await indexing.state());
    });
}
