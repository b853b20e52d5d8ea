/** The fake hub speaks the real one's protocol of uploads: Hugging Face's own Python client works with it. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { acceptUploads, fileIn } from './fake-hub-uploads.ts';
import { setUp } from './hub-setup.ts';
import { pythonWith } from './python.ts';

const program = `
import sys
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError

api = HfApi()
api.create_repo('acme/phi', private=True)
head = api.model_info('acme/phi', revision='main').sha
operations = [CommitOperationAdd('phi.pt', sys.argv[1]), CommitOperationAdd('notes.txt', b'notes')]
api.create_commit('acme/phi', operations, commit_message='from Python', parent_commit=head)
try:
    again = [CommitOperationAdd('notes.txt', b'others')]
    api.create_commit('acme/phi', again, commit_message='late', parent_commit=head)
except HfHubHTTPError as error:
    print(error.response.status_code)
print(open(hf_hub_download('acme/phi', 'phi.pt'), 'rb').read() == open(sys.argv[1], 'rb').read())
`;

test("Hugging Face's Python client uploads to it", async (context) => {
  const python = await pythonWith('huggingface_hub');
  if (typeof python === 'string') return context.skip(python);
  const { hub, home } = await setUp(context, []);
  const uploads = acceptUploads(hub, { token: 'hf_secret', partBytes: 40_000 });
  const content = Buffer.alloc(100_000, 'pseudo tokens');
  await writeFile(join(home, 'phi.pt'), content);
  const environment = {
    ...{ HF_HOME: home, HF_ENDPOINT: hub.endpoint, HF_TOKEN: 'hf_secret' },
    ...{ HF_HUB_DISABLE_XET: '1', HF_HUB_DISABLE_TELEMETRY: '1', HF_HUB_DISABLE_PROGRESS_BARS: '1' },
  };
  assert.equal(await python(['-c', program, join(home, 'phi.pt')], environment), '412\nTrue\n');
  assert.deepEqual(fileIn(hub, 'acme/phi', 'phi.pt'), content);
  assert.equal(fileIn(hub, 'acme/phi', 'notes.txt').toString(), 'notes');
  assert.equal(uploads.received.length, 3);
  assert.deepEqual(
    uploads.commits.map(({ summary }) => summary),
    ['from Python'],
  );
});
