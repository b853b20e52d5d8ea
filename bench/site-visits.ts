/** What a visitor of the miniature world's page does, for `site.ts`: each act on its own, with the longest task that it causes. */

import type { Browser, Page } from 'playwright-core';
import { rounded } from './results.ts';

/** A page that notes when its first ranking is there and painted, in `firstAnswer`, and its long tasks. */
export async function watchedPage(browser: Browser, width = 1280): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(`
    globalThis.longTasks = [];
    globalThis.observer = new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)));
    observer.observe({ type: 'longtask', buffered: true });
    globalThis.when = (isThere) => new Promise((resolve) => {
      const look = () => (isThere() ? resolve(performance.now()) : setTimeout(look, 5));
      look();
    });
    globalThis.firstAnswer = when(() => document.querySelector('.ranking.lincir .hit:not(.empty)'));
    globalThis.firstDrawings = when(() => {
      const drawings = [...document.querySelectorAll('.ranking.lincir .hit:not(.empty) canvas')];
      return drawings.length > 0 && drawings.every(({ width }) => width !== 300); // that of canvases on which nothing was painted
    });
  `);
  return page;
}

/** Milliseconds since the last call; 0 if none was longer than 50, below which browsers do not tell. */
export async function longestTask(page: Page): Promise<number> {
  await page.evaluate('longTasks.push(...observer.takeRecords().map(({ duration }) => duration))');
  return rounded(await page.evaluate<number>('Math.max(0, ...longTasks.splice(0))'));
}

/** Until what an act has begun is over, pictures included. */
const settled = 1200;

const acts: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  async anotherQuestion(page) {
    for (let turn = 0; turn < 5; turn += 1) {
      await button(page, 'Another').click();
      await page.waitForTimeout(settled);
    }
  },
  async otherWords(page) {
    for (let turn = 0; turn < 3; turn += 1) {
      await page.locator('.suggestions button').nth(turn).click();
      await page.waitForTimeout(settled);
    }
  },
  async typing(page) {
    await page.locator('#words').fill('');
    await page.locator('#words').pressSequentially('is at night and has a red star too', { delay: 60 });
    await page.waitForTimeout(settled);
  },
  async anotherPicture(page) {
    await page.locator('.ranking.lincir .hit button').nth(2).click();
    await page.waitForTimeout(settled);
  },
  async building(page) {
    await button(page, 'Build').click();
    const dialog = page.getByRole('dialog');
    for (let turn = 0; turn < 3; turn += 1) {
      await dialog.getByRole('button', { name: 'Surprise me' }).click();
      await page.waitForTimeout(300);
    }
    await dialog.getByRole('button', { name: 'Use this picture' }).click();
    await page.waitForTimeout(2 * settled);
  },
  async drawing(page) {
    await button(page, 'Draw').click();
    const dialog = page.getByRole('dialog');
    const { x, y } = (await page.getByRole('img', { name: 'Your drawing' }).boundingBox())!;
    await page.mouse.move(x + 60, y + 60);
    await page.mouse.down();
    for (let step = 0; step < 30; step += 1) await page.mouse.move(x + 60 + 4 * step, y + 60 + 2 * step);
    await page.mouse.up();
    await dialog.getByRole('button', { name: 'Use this picture' }).click();
    await page.waitForTimeout(2 * settled);
  },
  async explanations(page) {
    for (const name of ['Other pictures', 'Another caption', 'After training']) {
      await button(page, name).click();
      await page.waitForTimeout(settled / 2);
    }
  },
  async scrolling(page) {
    await page.evaluate('scrollTo(0, 0)');
    for (let turn = 0; turn < 12; turn += 1) {
      await page.mouse.wheel(0, 400);
      await page.waitForTimeout(100);
    }
    await page.evaluate('scrollTo(0, 0)');
  },
  async resizing(page) {
    const { width } = page.viewportSize()!;
    for (const other of [width - 60, 820, 600, 390, width]) {
      await page.setViewportSize({ width: other, height: 900 });
      await page.waitForTimeout(settled / 3);
    }
  },
};

/** The longest task of each act in milliseconds, and of the start before all others. */
export async function longestTasks(browser: Browser, origin: string, width: number) {
  const page = await watchedPage(browser, width);
  await page.goto(origin);
  await page.evaluate('globalThis.firstDrawings');
  await page.waitForTimeout(4 * settled); // until all else is drawn, and the page is stored
  const longest: Record<string, number> = { start: await longestTask(page) };
  for (const [name, act] of Object.entries(acts)) {
    await act(page);
    longest[name] = await longestTask(page);
  }
  await page.context().close();
  return longest;
}

function button(page: Page, name: string) {
  return page.getByRole('button', { name, exact: true });
}
