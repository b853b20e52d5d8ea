/** The example for browsers, out of the sources. `package.test.ts` tests it with the installed package. */

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { build } from 'vite';
import { noBrowser } from './page/browser.ts';
import { copyExample, expectAnswers } from './web-example.ts';

const root = resolve(import.meta.dirname, '..');

test('a page composes the queries that Node composes', { skip: noBrowser }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'lincir-web-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  copyExample(folder, root);
  cpSync(join(root, 'models/mini'), join(folder, 'public/mini'), { recursive: true });
  await build({
    root: folder,
    logLevel: 'silent',
    build: { reportCompressedSize: false },
    resolve: { conditions: ['lincir-source', 'module', 'browser', 'development|production'] },
  });
  await expectAnswers(folder);
});
