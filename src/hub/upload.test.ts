/** Uploads to a fake hub: what arrives, what is not sent twice, and what happens when anything fails. */

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { acceptUploads, fileIn, type UploadFault } from '../../test/fake-hub-uploads.ts';
import { refused, setUp } from '../../test/hub-setup.ts';
import { type UploadOptions, uploadFiles } from './index.ts';

const token = 'hf_secret';
const id = 'acme/phi';
const partBytes = 40_000;
const content = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * index) % 253));

async function prepare(context: TestContext, variables: Record<string, string> = { HF_TOKEN: token }) {
  const { hub, home, options } = await setUp(context, [], variables);
  const uploads = acceptUploads(hub, { token, partBytes });
  const files = { 'phi.pt': join(home, 'phi.pt'), 'README.md': join(home, 'card.md') };
  await writeFile(files['phi.pt'], content);
  await writeFile(files['README.md'], '# phi\n');
  const { environment, patience } = options;
  const given: UploadOptions = { environment, patience, title: 'Upload phi' };
  const upload = (others: Partial<UploadOptions> = {}) => uploadFiles(id, files, { ...given, ...others });
  return { hub, home, uploads, files, upload };
}

test('a repository is made, and all arrives in one commit', async (context) => {
  const { hub, uploads, upload } = await prepare(context);
  const told: number[] = [];
  const total = content.length + 6;
  const { address, commit, isNew, isPrivate, isUnchanged } = await upload({
    onProgress: (sent, all) => {
      assert.equal(all, total);
      told.push(sent);
    },
  });
  assert.equal(address, `${hub.endpoint}/${id}`);
  assert.equal(commit, hub.models.get(id)!.commit);
  assert.deepEqual([isNew, isPrivate, isUnchanged], [true, true, false]);
  assert.deepEqual(fileIn(hub, id, 'phi.pt'), content);
  assert.equal(fileIn(hub, id, 'README.md').toString(), '# phi\n');
  assert.deepEqual(uploads.received.toSorted(), [20_000, partBytes, partBytes]);
  assert.deepEqual(
    uploads.commits.map(({ summary }) => summary),
    ['Upload phi'],
  );
  assert.equal(told.at(-1)! > content.length - 1, true);
  assert.deepEqual(
    told,
    told.toSorted((a, b) => a - b),
  );
});

test('nothing is sent twice, a small file comes whole, and a public repository is public', async (context) => {
  const { hub, uploads, files, upload } = await prepare(context);
  await writeFile(files['phi.pt'], content.subarray(0, 1000));
  const { isPrivate } = await upload({ isPublic: true });
  assert.equal(isPrivate, false);
  assert.deepEqual(uploads.received, [1000]);
  const again = await upload();
  assert.deepEqual([again.isNew, again.isUnchanged, again.commit], [false, true, hub.models.get(id)!.commit]);
  assert.equal(uploads.commits.length, 1);
  await writeFile(files['README.md'], '# phi, a better one\n');
  await upload({ force: true });
  assert.deepEqual(uploads.received, [1000]);
  assert.equal(fileIn(hub, id, 'README.md').toString(), '# phi, a better one\n');
});

test('files that are there stay, unless they are to be replaced', async (context) => {
  const { hub, files, upload } = await prepare(context);
  await upload();
  await writeFile(files['README.md'], 'another\n');
  const before = hub.models.get(id)!.commit;
  await refused(upload(), 'bad-argument', /found others: README\.md/, /`force`/);
  assert.equal(hub.models.get(id)!.commit, before);
});

test('whoever commits meanwhile wins', async (context) => {
  const { hub, uploads, upload } = await prepare(context);
  uploads.onCommit = () => {
    const model = hub.models.get(id)!;
    hub.models.set(id, {
      ...model,
      commit: 'c'.repeat(40),
      files: { ...model.files, 'README.md': 'theirs' },
    });
  };
  await refused(
    upload({ force: true }),
    'network',
    /nobody else changes meanwhile/,
    /412: A commit has happened/,
  );
  assert.equal(fileIn(hub, id, 'README.md').toString(), 'theirs');
  assert.equal(uploads.commits.length, 0);
});

test('passing failures are tried again, and a lost answer does no harm', async (context) => {
  const faults: readonly (readonly [
    'create' | 'preupload' | 'batch' | 'put' | 'complete' | 'commit',
    UploadFault,
  ])[] = [
    ['create', { losesAnswer: true, times: 1 }],
    ['preupload', { status: 503, times: 2 }],
    ['batch', { status: 500, times: 1 }],
    ['put', { cutAt: 10_000, times: 2 }],
    ['put', { losesAnswer: true, times: 1 }],
    ['complete', { losesAnswer: true, times: 1 }],
    ['commit', { status: 429, times: 1 }],
    ['commit', { losesAnswer: true, times: 1 }],
  ];
  for (const [step, fault] of faults) {
    const { hub, uploads, upload } = await prepare(context);
    uploads.faults.set(step, { ...fault });
    const told: number[] = [];
    const { commit } = await upload({ onProgress: (sent) => told.push(sent) });
    assert.equal(commit, hub.models.get(id)!.commit, step);
    assert.deepEqual(fileIn(hub, id, 'phi.pt'), content, step);
    assert.equal(uploads.commits.length, 1, step);
    assert.ok(told.at(-1)! <= content.length + 6);
  }
});

test('a cut upload leaves no half commit, and goes on', async (context) => {
  const { hub, uploads, upload } = await prepare(context);
  uploads.faults.set('commit', { status: 503 });
  await refused(upload(), 'network', /to send it to http/, /503 \(3 times\)/);
  assert.deepEqual(Object.keys(hub.models.get(id)!.files), ['.gitattributes']);
  const sent = uploads.received.length;
  uploads.faults.clear();
  await upload();
  assert.equal(uploads.received.length, sent);
  assert.deepEqual(fileIn(hub, id, 'phi.pt'), content);
});

test('an interruption ends it', async (context) => {
  const { uploads, upload } = await prepare(context);
  const controller = new AbortController();
  const reason = new Error('enough');
  const work = upload({ signal: controller.signal, onProgress: () => controller.abort(reason) });
  await assert.rejects(work, reason);
  assert.equal(uploads.commits.length, 0);
});

test('refusals say what helps, and never the token', async (context) => {
  const cases: readonly (readonly [Parameters<typeof refusedStep>[0], UploadFault, ...RegExp[]])[] = [
    [
      'create',
      { status: 403, error: "You don't have the rights" },
      /permission to write/,
      /may write to acme/,
    ],
    ['create', { status: 409, error: 'You already created this model repo' }, /already created/],
    ['preupload', { status: 404 }, /that this token may write to/],
    [
      'batch',
      { status: 403, error: 'Private repository storage limit reached' },
      /storage limit reached/,
      /quota/,
    ],
    ['put', { status: 413 }, /files of a size that it takes/],
    [
      'commit',
      { status: 400, error: 'Invalid metadata in README.md' },
      /files that the hub takes/,
      /400: Invalid metadata/,
    ],
    ['preupload', { content: '<html>' }, /as the Hugging Face hub does/, /HF_ENDPOINT/],
    [
      'batch',
      { content: '{"objects":[{"oid":"1","size":2,"actions":{"upload":{}}}]}' },
      /as the Hugging Face hub does/,
    ],
    ['commit', { content: '7' }, /as the Hugging Face hub does/],
  ];
  async function refusedStep(
    step: 'create' | 'preupload' | 'batch' | 'put' | 'commit',
    fault: UploadFault,
    parts: RegExp[],
  ) {
    const { uploads, upload } = await prepare(context);
    uploads.faults.set(step, fault);
    const work = upload();
    await refused(work, 'network', /^upload to acme\/phi: /, ...parts);
    await work.catch((error: Error) =>
      assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /hf_secret/),
    );
    assert.equal(uploads.commits.length, 0, step);
  }
  for (const [step, fault, ...parts] of cases) await refusedStep(step, fault, parts);

  const wrong = await prepare(context, { HF_TOKEN: 'hf_wrong' });
  await refused(wrong.upload(), 'network', /a token that the hub knows/, /401: Invalid credentials/);
  const none = await prepare(context, {});
  await refused(none.upload(), 'not-found', /a token for http/, /settings\/tokens/);
  const offline = await prepare(context, { HF_TOKEN: token, HF_HUB_OFFLINE: '1' });
  await refused(offline.upload(), 'not-found', /HF_HUB_OFFLINE forbids it/);
  assert.deepEqual(offline.hub.requests, []);
  await refused(uploadFiles('no-owner', {}, { title: '' }), 'bad-argument', /OWNER\/NAME/);
});

test("a login's token serves, and storage never gets it", async (context) => {
  const { hub, home, files, upload } = await prepare(context, {});
  await writeFile(join(home, 'token'), `${token}\n`);
  await upload();
  const storage = hub.requests.filter(({ host }) => host === 'storage');
  assert.equal(storage.length, 3);
  assert.ok(storage.every(({ authorization }) => authorization === undefined));
  assert.deepEqual(await readFile(files['phi.pt']), content);
});
