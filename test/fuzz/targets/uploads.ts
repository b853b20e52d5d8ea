/** The hub's answers to an upload. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { uploadFiles } from '../../../src/hub/index.ts';
import { filled, jsonTokens, type Target } from '../target.ts';

const address = 'http://storage.test/1';

/** An answer a line: to the question which files are large, to the one where they go, and to the commit. */
const seed = (...answers: readonly object[]): Uint8Array =>
  Buffer.from(answers.map((answer) => JSON.stringify(answer)).join('\n'));

export async function uploadTargets(folder: string): Promise<Readonly<Record<string, Target>>> {
  await filled(folder, { 'phi.pt': 'phi', 'card.md': '# phi' });
  const files = { 'phi.pt': join(folder, 'phi.pt'), 'README.md': join(folder, 'card.md') };
  const environment = { HF_TOKEN: 'hf_1', HF_HOME: folder, HF_ENDPOINT: 'http://hub.test' };
  const patience = { attempts: 1, backoff: 0 };
  const preuploaded = {
    files: [
      { path: 'phi.pt', uploadMode: 'lfs' },
      { path: 'README.md', uploadMode: 'regular' },
    ],
  };
  const oid = createHash('sha256').update('phi').digest('hex');
  const committed = { commitOid: 'a'.repeat(40), commitUrl: address, hookOutput: '' };
  const batch = (upload: object) => ({ objects: [{ oid, size: 3, actions: { upload } }] });
  return {
    'upload-answers': {
      covers: ['hub/upload.ts', 'hub/upload-fetch.ts'],
      seeds: [
        seed({ files: [] }, {}, committed),
        seed(preuploaded, batch({ href: address }), committed),
        seed(
          preuploaded,
          batch({ href: address, header: { chunk_size: '2', '1': address, '2': address } }),
          committed,
        ),
        seed(preuploaded, { objects: [{ oid, size: 3, error: { code: 403, message: 'no' } }] }),
        seed({ error: 'no' }, preuploaded, committed),
      ],
      tokens: [
        ...jsonTokens,
        '\n',
        '"lfs"',
        '"href"',
        'http://',
        'file:///',
        '"objects"',
        '"chunk_size"',
        '"error"',
      ],
      share: 0.2,
      read: async (bytes) => {
        const answers = Buffer.from(bytes).toString('latin1').split('\n');
        const before = globalThis.fetch;
        globalThis.fetch = async (asked) => {
          const path = `${asked}`;
          if (path.includes('/revision/')) {
            return Response.json({ sha: 'b'.repeat(40), siblings: [] });
          }
          if (!path.startsWith('http://hub.test/')) return new Response('', { headers: { etag: '"1"' } });
          const at = ['/preupload/', '/batch', '/commit/'].findIndex((part) => path.includes(part));
          const answer = answers[at] ?? '';
          return new Response(answer, { status: answer.startsWith('{"error"') ? 400 : 200 });
        };
        try {
          await uploadFiles('owner/name', files, { title: 'phi', environment, patience });
        } finally {
          globalThis.fetch = before;
        }
      },
    },
  };
}
