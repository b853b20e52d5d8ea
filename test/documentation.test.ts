/** What the documentation shows: commands that a shell and lincir take, links that lead somewhere, a README that is short. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as evaluationNotes from '../src/cli/evaluation/help.ts';
import * as notes from '../src/cli/help.ts';
import * as servingNotes from '../src/cli/serving/help.ts';

const root = join(import.meta.dirname, '..');
const names = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'));
const files = ['README.md', 'CONTRIBUTING.md', 'bench/README.md', ...names.map((name) => `docs/${name}`)];
const pages = await Promise.all(
  files.map(async (file) => [file, await readFile(join(root, file), 'utf8')] as const),
);
const helpTexts = Object.entries({ ...notes, ...evaluationNotes, ...servingNotes });

test('README.md has at most 120 lines', () => {
  assert.ok(pages[0]![1].trimEnd().split('\n').length <= 120);
});

test('no text with $ stands in double quotes, where a shell would empty it', () => {
  const texts = [...pages, ...helpTexts];
  assert.ok(texts.length > 15);
  for (const [name, text] of texts) {
    for (const line of text.split('\n')) {
      // What stands in single quotes may hold double ones.
      const doubled = line.replaceAll(/'[^'"]*'/g, '').match(/"[^"]*"/g) ?? [];
      for (const part of doubled) assert.doesNotMatch(part, /\$\d/, `${name}: ${line}`);
    }
  }
});

test('links lead to files and headings that are there', () => {
  const headings = (page: string) =>
    [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
  let links = 0;
  for (const [file, page] of pages) {
    for (const [, link] of page.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path = '', heading] = link!.split('#');
      const target = normalize(join(dirname(file), path === '' ? basename(file) : path));
      assert.ok(existsSync(join(root, target)), `${file}: ${link}`);
      if (heading) assert.ok(headings(new Map(pages).get(target)!).includes(heading), `${file}: ${link}`);
      links += 1;
    }
  }
  assert.ok(links > 20);
});

test('every command and option that is shown exists', async () => {
  const run = promisify(execFile);
  const help = async (command: string): Promise<string> =>
    (await run(process.execPath, [join(root, 'src/cli/main.ts'), command, '--help'])).stdout;
  const known = new Map<string, Set<string>>();
  for (const [name, text] of [...pages, ...helpTexts]) {
    const lines = text.replaceAll(/ *\\\n +/g, ' ').split(/\n|[`|]| && /);
    for (const line of lines) {
      const [, command, rest] = /^[\s$]*(?:npx )?lincir ([a-z]+)\b(.*)/.exec(line) ?? [];
      if (command === undefined || !/ --|^\s*\$/.test(line)) continue;
      if (!known.has(command)) {
        const options = (await help(command)).match(/(?<=^ {2}(?:-\w, )?)--[\w-]+/gm);
        known.set(command, new Set(options));
      }
      for (const [option] of rest!.split(' # ')[0]!.matchAll(/(?<= )--[\w-]+/g)) {
        assert.ok(known.get(command)!.has(option), `${name}: lincir ${command} ${option}`);
      }
    }
  }
  assert.ok(known.size > 10);
});
