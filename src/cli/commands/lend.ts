/** `lincir lend`: computes for trainings on other machines until it is told to stop. */

import { loadClip } from '../../clip/index.ts';
import { formatCounted } from '../../core/index.ts';
import { defaultSettings, expectGuarded, lend as listen } from '../../server/index.ts';
import { Lender, type LenderOptions } from '../../training/index.ts';
import { type Context, downloadBar, interrupted } from '../context.ts';
import { readKeys } from '../serving/keys.ts';

interface LendOptions extends Pick<LenderOptions, 'threads' | 'precision'> {
  readonly model: string;
  readonly devices: readonly string[];
  readonly positionsPerRun: number;
  readonly host: string;
  readonly port: number;
  readonly apiKeyFile?: string;
  readonly key: boolean;
  readonly allowedHost?: readonly string[];
}

/** Milliseconds for answers that are due when it is told to stop. */
const patience = 20_000;

export async function lend(options: LendOptions, { reporter, signal }: Context): Promise<void> {
  const { model, devices, positionsPerRun: positions, threads, precision, host } = options;
  const settings = {
    ...{ host, port: options.port },
    keys: options.key ? await readKeys(options.apiKeyFile, process.env) : [],
    withoutKey: !options.key,
    allowedHosts: options.allowedHost ?? namesOf(host),
    onError: (message: string) => reporter.note(message),
  };
  expectGuarded({ ...defaultSettings, ...settings });
  const clip = await loadClip(model, { onDownload: downloadBar(reporter, model), signal });
  await clip.dispose();
  reporter.end();
  const lender = await Lender.open({
    ...{ model: clip.folder, devices, positions, threads, precision },
    onChange: ({ device, state, reason }) =>
      reporter.note(state === 'lost' ? `goes on without ${device}: ${reason}` : `device ${device} is back`),
  });
  try {
    const server = await listen(lender, settings);
    reporter.note(`lincir lend: ${server.url} lends ${formatCounted(lender.facts.processes, 'devices')}`);
    await interrupted(signal);
    reporter.note('stopping: what is begun is answered');
    await server.close(patience);
  } finally {
    await lender.close();
  }
}

/** Whoever listens on one address has said the name that clients use. */
function namesOf(host: string): string[] {
  if (host === '0.0.0.0' || host === '::') return [];
  return [host.includes(':') ? `[${host}]` : host];
}
