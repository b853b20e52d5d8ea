/** `lincir models` lists the presets and the cache; `lincir models pull` downloads a model or a phi into it. */

import { formatBytes, formatCount } from '../../core/index.ts';
import {
  type CachedModel,
  isPhiCached,
  listCachedModels,
  modelPresets,
  type PhiPreset,
  phiPresets,
  pullModel,
  pullPhi,
} from '../../hub/index.ts';
import { type Context, downloadBar, phiDownload } from '../context.ts';
import { aligned } from '../terminal/columns.ts';

interface ModelsOptions {
  readonly json?: boolean;
}

export async function listModels({ json }: ModelsOptions, { print }: Context): Promise<void> {
  const table = (rows: readonly (readonly string[])[]) => print(aligned(rows, 'left').join('\n'));
  const cached = await listCachedModels();
  const presets = modelPresets;
  const phis = await Promise.all(
    phiPresets.map(async (preset) => ({ ...preset, cached: await isPhiCached(preset) })),
  );
  if (json) {
    print(JSON.stringify({ presets, cached, phis }));
    return;
  }
  const stateOf = (id: string): string => {
    const copies = cached.filter((model) => model.id === id);
    const complete = copies.filter((model) => model.complete);
    if (complete.length > 0) return `cached, ${formatBytes(Math.max(...complete.map(({ bytes }) => bytes)))}`;
    return copies.length > 0 ? 'incomplete' : '';
  };
  table([
    ['PRESET', 'MODEL', 'WHAT IT IS', 'PARAMETERS', 'DIMENSIONS', 'LICENCE', 'STATE'],
    ...presets.map(({ name, id, description, millions, dimensions, licence }) => [
      ...[name, id, description, `${formatCount(millions)} million`, `${dimensions}`, licence, stateOf(id)],
    ]),
  ]);
  print('');
  table([
    ['PHI', 'WHAT IT IS', 'MODEL', 'SIZE', 'LICENCE', 'STATE'],
    ...phis.map((phi) => [
      ...[phi.name, phi.description, phi.model, phi.bytes ? formatBytes(phi.bytes) : '', phi.licence],
      stateOfPhi(phi),
    ]),
  ]);
  const others = cached.filter(({ id }) => !presets.some((preset) => preset.id === id));
  if (others.length > 0) {
    print('');
    table([
      ['ALSO CACHED', 'REVISION', 'STATE'],
      ...others.map((model) => [
        model.id,
        revisionOf(model),
        `${model.complete ? '' : 'incomplete, '}${formatBytes(model.bytes)}`,
      ]),
    ]);
  }
  print(
    '\n--model takes a preset, OWNER/NAME[@REVISION] on the hub, a folder, a .pt file, or mini, which is included.',
  );
  print(
    "--phi takes one of these, OWNER/NAME[/FILE][@REVISION] on the hub, a file, a run's folder, or mini.",
  );
}

export async function pull(
  model: string,
  { json }: ModelsOptions,
  { print, reporter, signal }: Context,
): Promise<void> {
  const phi = await pullPhi(model, { ...phiDownload(reporter), signal });
  if (phi) {
    reporter.end();
    if (json) print(JSON.stringify(phi));
    else reporter.note(`${model} is in ${phi.file}`);
    return;
  }
  const resolved = await pullModel(model, { onProgress: downloadBar(reporter, model), signal });
  reporter.end();
  if (json) print(JSON.stringify(resolved));
  else reporter.note(`${resolved.id} is in ${resolved.folder}`);
}

function stateOfPhi({ id, address, cached }: PhiPreset & { readonly cached: boolean }): string {
  return id === undefined ? `at ${address}` : cached ? 'cached' : '';
}

function revisionOf({ refs, revision }: CachedModel): string {
  return refs.length > 0 ? refs.join(', ') : revision.slice(0, 8);
}
