/** `lincir export --onnx`: writes a model, and a phi for it, as ONNX files for other programs. */

import { formatBytes, LincirError } from '../../core/index.ts';
import type { WeightPrecision } from '../../onnx/choices.ts';
import { exportOnnx } from '../../publishing/index.ts';
import { type Context, downloadBar, phiDownload } from '../context.ts';

export interface OnnxCommandOptions {
  readonly model?: string;
  readonly out?: string;
  readonly precision?: WeightPrecision;
  readonly zeroShot?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

export async function exportedOnnx(
  phi: string | undefined,
  { model, out, precision, zeroShot, force, json }: OnnxCommandOptions,
  { reporter, signal, print }: Context,
): Promise<void> {
  if (out === undefined) {
    throw new LincirError('bad-argument', {
      subject: '--onnx',
      expected: '--out FOLDER',
      found: 'no folder to write to',
    });
  }
  const { folder, files, bytes } = await exportOnnx({
    ...{ model, phi, out, precision, zeroShot, force, signal, ...phiDownload(reporter) },
    onProgress: downloadBar(reporter, model ?? 'the model'),
    onWrite: (done, total) => reporter.progress({ label: 'writing', unit: 'bytes', total }, done),
  });
  reporter.end();
  if (json) print(JSON.stringify({ folder, files, bytes }));
  else
    reporter.note(
      `${folder}: ${files.length} files, ${formatBytes(bytes)}. Its README.md says how to use them.`,
    );
}
