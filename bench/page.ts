/**
 * The page in a real Chromium: how soon pictures are there, and whether it stutters while one scrolls through all results:
 * `node bench/page.ts PICTURES… [--model mini]`, with 10,000 pictures or more; or `--index INDEX` for one that is there.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { machine, rounded, saveResult } from './results.ts';
import { ServerProcess } from './serving/processes.ts';
import { median } from './turns.ts';

const { values: options, positionals: folders } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string', default: 'mini' }, index: { type: 'string' } },
});
const root = join(import.meta.dirname, '..');
const queries = 12;
const mostResults = 10_000;

const scratch = await mkdtemp(join(tmpdir(), 'lincir-page-'));
const index = options.index ?? join(scratch, 'page.lance');
if (options.index === undefined) {
  const indexing = ['index', ...folders, '--index', index, '--model', options.model];
  await promisify(execFile)(process.execPath, [join(root, 'src/cli/main.ts'), ...indexing], {
    maxBuffer: 2 ** 26,
  });
}
await build({ configFile: join(root, 'web/vite.config.ts') });
const server = await ServerProcess.lincir(['--index', index], 8931);
const browser = await chromium.launch({
  executablePath: process.env.LINCIR_TEST_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
await page.goto(server.origin);
await page
  .getByRole('button', { name: /^Search with/ })
  .first()
  .click();
await page.getByRole('gridcell').nth(8).waitFor();

const fresh = [];
for (let query = 0; query < queries; query += 1) fresh.push(await timeToPictures(page, 4 + query));
const again = [];
for (let query = 0; query < queries; query += 1) again.push(await timeToPictures(page, 4 + query));

await browser.startTracing(page, { categories: ['toplevel'] });
const scrolling = await scrollToTheEnd(page);
const tasks = tasksIn(await browser.stopTracing());
const { loopDelay } = await server.observe();
await browser.close();
await server.stop();
await rm(scratch, { recursive: true });

const result = {
  /** Milliseconds from a click on "Use as reference", first with thumbnails that the server has yet to make. */
  first: { firstPicture: spread(fresh, 'first'), allOnScreen: spread(fresh, 'all') },
  later: { firstPicture: spread(again, 'first'), allOnScreen: spread(again, 'all') },
  scrolling: {
    ...scrolling,
    /** Of the page's main thread: in passing time, and in processor time, which other programs do not lengthen. */
    tasks: tasks.length,
    over50: ofBoth(tasks, (times) => times.filter((time) => time > 50).length),
    over100: ofBoth(tasks, (times) => times.filter((time) => time > 100).length),
    longest: ofBoth(tasks, (times) => rounded(Math.max(0, ...times))),
  },
  mainLoopDelayP999: loopDelay.p999,
};
console.log(JSON.stringify(result, null, 1));
await saveResult('page', { machine: machine(), load: loadavg()[0], queries, ...result });

/** Uses a result as reference, and waits for the pictures of what is found. */
async function timeToPictures(page: Page, result: number) {
  return (await page.evaluate(`(async () => {
    scrollTo(0, 0);
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())));
    await frame();
    const tile = document.querySelector('[data-at="${result}"]');
    const before = new Set([...document.querySelectorAll('img.thumbnail')]);
    const start = performance.now();
    tile.querySelector('.tile-buttons button').click();
    const onScreen = () => [...document.querySelectorAll('img.thumbnail')]
      .filter((one) => !before.has(one) && one.getBoundingClientRect().top < innerHeight);
    let first;
    for (;;) {
      const now = await frame();
      const images = onScreen();
      const there = images.filter((one) => one.complete && one.naturalWidth > 0);
      if (there.length > 0) first ??= now - start;
      const isBusy = document.querySelector('[role=grid]').ariaBusy === 'true';
      if (first !== undefined && there.length === images.length && !isBusy) return { first, all: now - start };
      if (now - start > 20000) return { first: first ?? now - start, all: now - start };
    }
  })()`)) as { first: number; all: number };
}

/** As a person does with the wheel, quickly, until all results are there. */
async function scrollToTheEnd(page: Page) {
  const start = performance.now();
  await page.mouse.move(640, 600);
  let shown = 0;
  for (let steps = 0; steps < 20_000; steps += 1) {
    await page.mouse.wheel(0, 900);
    await page.waitForTimeout(16);
    if (steps % 20 !== 0) continue;
    const state = (await page.evaluate(`({
      last: Math.max(...[...document.querySelectorAll('[data-at]')].map((tile) => Number(tile.dataset.at))),
      isEnd: scrollY + innerHeight >= document.documentElement.scrollHeight - 50,
    })`)) as { last: number; isEnd: boolean };
    shown = state.last + 1;
    if (state.isEnd && shown >= mostResults * 0.95) break;
  }
  return { results: shown, seconds: rounded((performance.now() - start) / 1000) };
}

interface Task {
  /** Milliseconds. */
  readonly passed: number;
  readonly processor: number;
}

/** The tasks of the main thread that has the most of them. */
function tasksIn(trace: Buffer): Task[] {
  interface Event {
    readonly name: string;
    readonly pid: number;
    readonly tid: number;
    readonly dur?: number;
    readonly tdur?: number;
    readonly args: { readonly name?: string };
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: Event[] };
  const threadOf = ({ pid, tid }: Event) => `${pid} ${tid}`;
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(threadOf),
  );
  const tasks = traceEvents.filter(
    (event) => event.name === 'ThreadControllerImpl::RunTask' && mains.has(threadOf(event)),
  );
  const threads = Map.groupBy(tasks, threadOf);
  const [busiest = []] = [...threads.values()].sort((one, other) => other.length - one.length);
  return busiest.map(({ dur = 0, tdur = 0 }) => ({ passed: dur / 1000, processor: tdur / 1000 }));
}

function ofBoth(tasks: readonly Task[], of: (times: readonly number[]) => number) {
  return {
    passed: of(tasks.map(({ passed }) => passed)),
    processor: of(tasks.map(({ processor }) => processor)),
  };
}

function spread(times: readonly { readonly first: number; readonly all: number }[], which: 'first' | 'all') {
  const values = times.map((time) => time[which]);
  return { median: rounded(median(values)), greatest: rounded(Math.max(...values)) };
}
