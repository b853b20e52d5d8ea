/** Lends devices over HTTP: takes batches of a training that computes elsewhere, from whoever has a key. */

import { Hono } from 'hono';
import { lendingPath } from '../training/choices.ts';
import type { Lender } from '../training/index.ts';
import { accessFor } from './access.ts';
import { guard } from './guard.ts';
import { careful } from './headers.ts';
import { fieldBytes, limited } from './limits.ts';
import { Metrics } from './metrics.ts';
import { answerError, problemResponse } from './problems.ts';
import { expectType, readBody } from './requests.ts';
import { type RunningServer, serve } from './serve.ts';
import { defaultSettings, type ServerSettings } from './settings.ts';

/** Milliseconds. Trainings give up on a batch before. */
const idleTimeout = 300_000;

export type LendingSettings = Pick<
  ServerSettings,
  'host' | 'port' | 'keys' | 'withoutKey' | 'allowedHosts' | 'onError'
>;

type Lending = Pick<Lender, 'facts' | 'compute' | 'mostTaskBytes'>;

/** Starts to listen. Throws 'bad-argument' if it cannot, or if nothing guards it. */
export async function lend(lender: Lending, settings: LendingSettings): Promise<RunningServer> {
  const app = createLendingApp(lender, settings);
  return await serve(app, { ...defaultSettings, ...settings }, { idleTimeout });
}

/** The server as one function from requests to responses. */
export function createLendingApp(lender: Lending, given: LendingSettings): Hono {
  const uploadBytes = lender.mostTaskBytes;
  // A training has two batches here for each process.
  const bodyBytes = (2 * lender.facts.processes + 2) * (uploadBytes + fieldBytes);
  const settings: ServerSettings = { ...defaultSettings, ...given, uploadBytes, bodyBytes };
  const app = new Hono();
  app.onError((error, context) => answerError(error, context, settings));
  app.notFound(({ req }) => {
    const [expected, found] = [`${lendingPath}, for lincir's training on other machines`, 'another path'];
    return problemResponse(404, { subject: `${req.method} ${req.path}`, expected, found });
  });
  app.use(careful, guard(settings), accessFor(settings).required, limited(settings, new Metrics()));
  app.get(lendingPath, (context) => context.json(lender.facts));
  app.post(`${lendingPath}/tasks`, async (context) => {
    expectType(context, ['application/octet-stream']);
    return context.body(await lender.compute(await readBody(context, uploadBytes)));
  });
  return app;
}
