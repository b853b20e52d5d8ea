/** Exports a phi: to a file in the layout of a method's authors with its model card, and to the Hugging Face hub. */

import { mkdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { LincirError, option, quoted } from '../core/index.ts';
import { asideIn, statOf, writeFileAtomically, writeTorchCheckpoint } from '../files/index.ts';
import { modelPresets, type Uploaded, type UploadOptions, uploadFiles } from '../hub/index.ts';
import { type PhiArchitecture, phiCheckpoint } from '../phi/index.ts';
import { type CardFile, isOurCard, modelCard } from './card.ts';
import { type GatherOptions, gatherFacts, type PhiFacts } from './facts.ts';

interface CommonOptions extends GatherOptions {
  /** Default: that of the phi's own architecture. */
  readonly layout?: PhiArchitecture;
  /** The hub's name of a licence, such as `cc-by-4.0`. Default: a published phi's own if it is stated, else `other`. */
  readonly licence?: string;
  /** Replace what is there: a file and our card beside it, or files in a repository. */
  readonly force?: boolean;
}

export interface ExportOptions extends CommonOptions {
  /** A `.pt` file. `README.md` is written beside it. */
  readonly out: string;
}

export interface PublishOptions extends CommonOptions, Pick<UploadOptions, 'isPublic'> {
  /** OWNER/NAME on the hub. */
  readonly toHub: string;
  readonly onUpload?: UploadOptions['onProgress'];
}

export interface Exported {
  readonly file: string;
  readonly card: string;
  /** Of the file, in hex. */
  readonly sha256: string;
}

export interface Published extends Uploaded {
  readonly id: string;
  /** The names of the file and the card in the repository. */
  readonly files: readonly string[];
  readonly sha256: string;
}

/**
 * Writes a phi as its method's authors do, for `torch.load(out, weights_only=True)` and `loadPhi`, and `README.md` beside it.
 * The same phi always gives the same bytes. If the file is there, both are complete.
 * @param phi a file, a run's folder, or a name on the hub
 * @throws LincirError 'bad-argument' for a layout of another network and for files that are there; and what `gatherFacts` throws
 */
export async function exportPhi(phi: string, options: ExportOptions): Promise<Exported> {
  const { out, force = false } = options;
  const subject = option<ExportOptions>('out', out);
  if (!out.endsWith('.pt')) {
    throw new LincirError('bad-argument', {
      subject,
      expected: 'a name that ends in .pt',
      found: quoted(basename(out)),
    });
  }
  if (!force && (await statOf(out))) throw thereAlready(subject, out);
  return await write(await gatherFacts(phi, options), options);
}

/**
 * Exports a phi to a repository on the hub, with its model card: in one commit, or not at all. A repository that is missing is
 * made, and is private unless `isPublic`. If the upload is cut, the same call goes on with what is not there yet.
 * @throws LincirError as `exportPhi` and `uploadFiles` do
 */
export async function publishPhi(phi: string, options: PublishOptions): Promise<Published> {
  const { toHub: id, layout, isPublic, force, signal, environment, patience, onUpload: onProgress } = options;
  const facts = await gatherFacts(phi, options);
  const folder = await asideIn(tmpdir());
  await mkdir(folder, { mode: 0o700 });
  try {
    const name = `${nameOf(facts, layout ?? facts.info.shape.architecture)}.pt`;
    const { file, card, sha256 } = await write(facts, { ...options, out: join(folder, name) }, id);
    const files = { [name]: file, 'README.md': card };
    const upload: UploadOptions = {
      title: `Upload ${name}`,
      isPublic,
      force,
      signal,
      environment,
      patience,
      onProgress,
    };
    return { ...(await uploadFiles(id, files, upload)), id, files: Object.keys(files), sha256 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function write(
  facts: PhiFacts,
  { out, layout, licence, force }: ExportOptions,
  id?: string,
): Promise<Exported> {
  const chosen = layout ?? facts.info.shape.architecture;
  const checkpoint = phiCheckpoint(facts.info, facts.parameters, chosen);
  const card = join(dirname(out), 'README.md');
  const about: Omit<CardFile, 'sha256'> = {
    ...{ name: basename(out), layout: chosen, licence: checkedLicence(licence, facts) },
    ...(id !== undefined && { id }),
  };
  let sha256 = '';
  await writeTorchCheckpoint(out, checkpoint, async (hash) => {
    sha256 = hash;
    await writeCard(card, modelCard(facts, { ...about, sha256 }), force);
  });
  return { file: out, card, sha256 };
}

async function writeCard(path: string, text: string, force = false): Promise<void> {
  const present = await readFile(path, 'utf8').catch(() => undefined);
  if (present === text) return;
  if (present !== undefined && !(force && isOurCard(present))) {
    if (isOurCard(present)) throw thereAlready('model card', path);
    throw new LincirError('bad-argument', {
      subject: 'model card',
      expected: `no README.md of something else in the folder of ${option<ExportOptions>('out')}`,
      found: path,
      todo: 'choose another folder',
    });
  }
  await writeFileAtomically(path, (file) => file.writeFile(text));
}

/** As the authors call theirs: `lincir_large`. */
function nameOf({ info }: PhiFacts, layout: PhiArchitecture): string {
  const preset = modelPresets.find(({ id, alternative }) => [id, alternative].includes(info.model));
  return info.model === undefined || preset === undefined ? layout : `${layout}_${preset.name}`;
}

function checkedLicence(licence: string | undefined, { origin }: PhiFacts): string {
  const stated = origin?.licence.startsWith('CC ')
    ? origin.licence.toLowerCase().replaceAll(' ', '-')
    : 'other';
  const chosen = licence ?? stated;
  if (/^[a-z0-9][a-z0-9.+-]*$/.test(chosen)) return chosen;
  throw new LincirError('bad-argument', {
    subject: option<ExportOptions>('licence', chosen),
    expected: "the hub's name of a licence, such as cc-by-4.0, mit or other",
    found: quoted(chosen),
    todo: 'see https://huggingface.co/docs/hub/repositories-licenses',
  });
}

function thereAlready(subject: string, path: string): LincirError {
  return new LincirError('bad-argument', {
    subject,
    expected: 'a new file',
    found: `${path}, which is there already`,
    todo: `choose another place, or replace it with ${option<ExportOptions>('force')}`,
  });
}
