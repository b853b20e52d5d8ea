/** Tests of folders: what is remembered, what comes and goes, and that nothing is lost with a disk. `photos.test.ts` runs them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import {
  expectText,
  pickFolder,
  pickModel,
  putFiles,
  putPictures,
  removeFiles,
  search,
  skip,
  visitWithPicker,
} from './world.ts';

test('folder and model are remembered: new files come, gone ones leave', { skip }, async (t) => {
  const { page } = await visitWithPicker(t);
  await putPictures(page, 'Pictures', [1, 2, 3, 4, 5]);
  await pickModel(page);
  await pickFolder(page);
  await expectText(page, '5 added');
  await removeFiles(page, 'Pictures', ['2.png']);
  await putPictures(page, 'Pictures', [6]);
  await page.reload();
  await expectText(page, '1 added, 1 gone');
  await expectText(page, '5 images in photos');
});

test('a disk that is not there takes nothing out of the index', { skip }, async (t) => {
  const { page } = await visitWithPicker(t);
  await putPictures(page, 'Pictures', [1, 2, 3]);
  await putPictures(page, 'Pictures/disk', [4, 5, 6, 7, 8]);
  await pickModel(page);
  await pickFolder(page);
  await expectText(page, '8 added');
  await removeFiles(page, 'Pictures/disk', ['4.png', '5.png', '6.png', '7.png', '8.png']);
  await page.reload();
  await expectText(page, '5 pictures of your folders are not there. They stay in the index');
  await expectText(page, '8 images in photos');
  await putPictures(page, 'Pictures/disk', [4, 5, 6, 7]);
  await page.getByRole('button', { name: 'Look again' }).click();
  await expectText(page, '1 gone');
  await removeFiles(page, 'Pictures', ['disk']);
  await page.reload();
  await page.getByRole('button', { name: 'Take them out' }).click();
  await expectText(page, '4 gone');
  await expectText(page, '3 images in photos');
});

test('a renamed folder is no lost one', { skip }, async (t) => {
  const { page } = await visitWithPicker(t);
  await putPictures(page, 'Pictures/old', [1, 2, 3, 4, 5]);
  await putPictures(page, 'Pictures', [6]);
  await pickModel(page);
  await pickFolder(page);
  await expectText(page, '6 added');
  await removeFiles(page, 'Pictures', ['old']);
  await putPictures(page, 'Pictures/new', [1, 2, 3, 4, 5]);
  await page.reload();
  await expectText(page, '5 added, 5 gone');
  await expectText(page, '6 images in photos');
});

test('two folders of one name are two folders', { skip }, async (t) => {
  const { page } = await visitWithPicker(t);
  await putPictures(page, 'one/DCIM', [1, 2, 3]);
  await putPictures(page, 'two/DCIM', [4, 5]);
  await putFiles(page, 'two/DCIM', { '1.png': Buffer.from('another of this name') });
  await pickModel(page);
  await pickFolder(page, 'one/DCIM');
  await expectText(page, '3 added');
  await page.getByRole('button', { name: 'Photos and model' }).click();
  await pickFolder(page, 'two/DCIM');
  await expectText(page, 'DCIM (2)');
  await page.keyboard.press('Escape');
  await expectText(page, '5 images in photos');
  await page.reload();
  await expectText(page, '5 images in photos');
  await page.getByRole('button', { name: 'Photos and model' }).click();
  // One leaves, and stays away.
  await page.getByRole('button', { name: 'Remove DCIM from the index' }).click();
  await page.getByRole('button', { name: 'Remove from the index', exact: true }).click();
  await page.getByText('DCIM', { exact: true }).waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await page.reload();
  await expectText(page, '2 images in photos');
  assert.deepEqual(await namesOf(page), ['4.png', '5.png']);
});

async function namesOf(page: Page): Promise<string[]> {
  return (await search(page, 'a red bird')).map(({ name }) => name).sort();
}
