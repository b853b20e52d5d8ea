/** `lincir export`: writes a phi in the layout of a method's authors, with a model card, or uploads both to the hub; or ONNX files. */

import { LincirError } from '../../core/index.ts';
import type { PhiArchitecture } from '../../phi/index.ts';
import { exportPhi, publishPhi } from '../../publishing/index.ts';
import { type Context, phiDownload } from '../context.ts';
import { refuseBeside, refuseIdle } from '../idle-options.ts';
import { exportedOnnx, type OnnxCommandOptions } from './export-onnx.ts';

interface ExportCommandOptions extends OnnxCommandOptions {
  readonly onnx?: boolean;
  readonly toHub?: string;
  readonly layout?: PhiArchitecture;
  readonly licence?: string;
  readonly results?: readonly string[];
  readonly public?: boolean;
}

export async function exported(
  phi: string | undefined,
  { onnx, model, precision, zeroShot, ...options }: ExportCommandOptions,
  context: Context,
): Promise<void> {
  const { out, toHub, public: isPublic, json, ...given } = options;
  if (onnx) {
    const { layout, licence, results } = given;
    const others = { toHub, layout, licence, results, public: isPublic };
    refuseBeside('--onnx', others, { expected: 'no option for the file of a phi', todo: 'leave it out' });
    return await exportedOnnx(phi, { ...options, model, precision, zeroShot }, context);
  }
  if (phi === undefined) {
    throw new LincirError('bad-argument', {
      subject: 'export',
      expected: 'a phi, or --onnx --model MODEL',
      found: 'neither',
    });
  }
  const { reporter, signal, print } = context;
  refuseIdle([
    ['--model', model, false, '--onnx as well'],
    ['--precision', precision, false, '--onnx as well'],
    ['--zero-shot', zeroShot, false, '--onnx as well'],
  ]);
  refuseIdle([['--public', isPublic, toHub !== undefined, '--to-hub as well']]);
  const common = { ...given, ...phiDownload(reporter), signal };
  if (toHub === undefined) {
    if (out === undefined) {
      throw new LincirError('bad-argument', {
        subject: 'export',
        expected: '--out FILE.pt or --to-hub OWNER/NAME, or --onnx --out FOLDER',
        found: 'none of them',
      });
    }
    const { file, card, sha256 } = await exportPhi(phi, { ...common, out });
    reporter.end();
    if (json) print(JSON.stringify({ file, card, sha256 }));
    else reporter.note(`${phi} → ${file}, with its model card ${card}`);
    return;
  }
  refuseBeside('--to-hub', { out }, { expected: 'no other place beside it', todo: 'export twice' });
  const published = await publishPhi(phi, {
    ...{ ...common, toHub, isPublic },
    onUpload: (done, total) => reporter.progress({ label: 'uploading', unit: 'bytes', total }, done),
  });
  reporter.end();
  const { id, address, isNew, isPrivate, isUnchanged } = published;
  if (json) print(JSON.stringify(published));
  else {
    reporter.note(isUnchanged ? `${address} has all of it already` : `${phi} → ${address}`);
    if (isPrivate) {
      reporter.note(
        `${isNew ? 'The new repository' : 'The repository'} is private: ${address}/settings makes it public.`,
      );
    }
    reporter.note(`Load it with --phi ${id}`);
  }
}
