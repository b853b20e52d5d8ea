/** The page of results: whole, self-contained, and safe whatever the data says. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { thumbnailOf } from '../../pictures/index.ts';
import { type PageInput, type RankedImage, resultsPage } from './page.ts';

async function picture(width: number, height: number, background = '#dc281e'): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 4, background } })
    .png()
    .toBuffer();
}

const thumbnail = (await thumbnailOf(await picture(40, 30)))!;

function ranked(rank: number, more: Partial<RankedImage> = {}): RankedImage {
  return { rank, score: 0.31415926, path: `boats/${rank}.jpg`, details: {}, thumbnail, ...more };
}

async function pageOf(more: Partial<PageInput>): Promise<string> {
  const page = await resultsPage({
    ...{ title: 'boats', asked: { Method: 'lincir' }, index: 'boats.lance', model: 'mini', milliseconds: 34 },
    ...{ references: [{ label: 'mine/boat.jpg', thumbnail }], results: [ranked(1)], searched: 4821 },
    ...more,
  });
  expectWhole(page);
  return page;
}

/** Every element is closed in its turn, and nothing comes from elsewhere. */
function expectWhole(page: string): void {
  const body = page.slice(page.indexOf('</style>'));
  const open = ['html', 'style'];
  for (const [, closes, name] of body.matchAll(/<(\/?)([a-z][a-z0-9]*)(?:"[^"]*"|[^">])*>/g)) {
    if (closes) assert.equal(open.pop(), name);
    else if (name !== 'img') open.push(name!);
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(
    page,
    /undefined|\[object|<script|<link|@import|src="(?!data:image\/)|url\((?!"data:image\/)/,
  );
}

/** The text of the elements of a class. */
function texts(page: string, style: string): string[] {
  const elements = page.matchAll(new RegExp(`<[a-z0-9]+ class="${style}"[^>]*>(.*?)</`, 'gs'));
  return [...elements].map(([, text]) => text!.replace(/<[^>]*>/g, ''));
}

test('the prompt shows its image, and the results theirs, in order', async () => {
  const results = [ranked(1), ranked(2, { score: -0.01 }), ranked(3)];
  const page = await pageOf({ prompt: 'a photo of $ that is red', results });
  const chip =
    '<span class="chip pictured reference-1" role="img" aria-label="mine/boat.jpg" title="mine/boat.jpg"></span>';
  assert.ok(page.includes(`<h1><bdi>a photo of ${chip} that is red</bdi></h1>`));
  assert.match(page, /\.reference-1 \{ background-image: url\("data:image\/jpeg;base64,/);
  assert.match(page, /<strong>The 3 best<\/strong> of 4,821 images, found in 34 ms/);
  assert.deepEqual(texts(page, 'rank'), ['1', '2', '3']);
  assert.deepEqual(texts(page, 'score'), ['0.3142', '−0.0100', '0.3142']);
  assert.deepEqual(texts(page, 'name'), ['1.jpg', '2.jpg', '3.jpg']);
  assert.equal(page.match(/title="boats\/2\.jpg"/g)?.length, 3);
  assert.match(page, /--ratio: 1\.333;/);

  const [, address] =
    /<img src="data:image\/jpeg;base64,([^"]*)" width="40" height="30" alt="2: 2\.jpg"/.exec(page)!;
  assert.deepEqual(Buffer.from(address!, 'base64'), Buffer.from(thumbnail));
});

test('several images have numbers, and a price is a price', async () => {
  const references = ['a.jpg', 'b.jpg'].map((label) => ({ label, thumbnail }));
  const page = await pageOf({ prompt: '$2 on $1 for $5, $0', references });
  assert.match(
    page,
    /reference-2.*<sub>2<\/sub><\/span> on .*reference-1.*<sub>1<\/sub><\/span> for \$5, \$0</,
  );
  const both = await pageOf({ prompt: '$', references });
  assert.match(both, /<h1>.*chip.*reference-1.*chip.*reference-2.*<\/h1>/);
  assert.match(await pageOf({ prompt: '$', references: [] }), /<h1><bdi>\$<\/bdi><\/h1>/);
  assert.match(await pageOf({}), /<h1><bdi>boats<\/bdi><\/h1>/);
});

test('all that was asked is said, and duplicates are one image', async () => {
  const asked = {
    Method: 'sum, weight of the words 0.5',
    Filter: 'rating >= 4 & <b>',
    Without: 'dogs (weight 1)',
  };
  const page = await pageOf({
    asked,
    results: [
      ranked(1, {
        duplicates: [{ path: 'boats/copy.jpg', href: 'file:///boats/copy.jpg' }, { path: 'a.tar!/<x>.jpg' }],
      }),
      ranked(2, { duplicates: [{ path: 'b.jpg', href: 'javascript:alert(1)' }] }),
    ],
  });
  for (const [term, value] of Object.entries({ ...asked, Model: 'mini', Index: 'boats.lance' })) {
    const text = value.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
    assert.ok(page.includes(`<div><dt>${term}</dt><dd><bdi>${text}</bdi></dd></div>`), term);
  }
  assert.match(
    page,
    /<summary>2 duplicates<\/summary>\n.*\n<li><a href="file:\/\/\/boats\/copy\.jpg"><bdi>boats\/copy/,
  );
  assert.match(page, /<li><bdi>a\.tar!\/&#60;x&#62;\.jpg<\/bdi><\/li>/);
  assert.match(page, /<summary>1 duplicate<\/summary>\n.*\n<li><bdi>b\.jpg<\/bdi><\/li>/);
});

test('none, one and two hundred', async () => {
  assert.match(await pageOf({ results: [] }), /No image was found/);
  assert.match(await pageOf({ searched: 1 }), /<strong>The best<\/strong> of 1 image,/);
  const page = await pageOf({ results: Array.from({ length: 200 }, (_, index) => ranked(index + 1)) });
  assert.equal(page.match(/<li/g)?.length, 200);
});

test('an image without a thumbnail has a place', async () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  const results = [undefined, svg, Buffer.from('text'), new Uint8Array()].map((bytes, index) =>
    ranked(index + 1, { thumbnail: bytes }),
  );
  const references = [{ label: 'boat.jpg', thumbnail: undefined }];
  const page = await pageOf({ prompt: '$ in red', results, references });
  assert.equal(page.match(/no preview/g)?.length, 5);
  assert.doesNotMatch(page, /<img|data:image/);
  assert.deepEqual(texts(page, 'chip'), ['$']);
});

test('right answers are marked', async () => {
  const page = await pageOf({ results: [ranked(1), ranked(2, { marked: true })] });
  assert.match(page, /<li class="marked">[^§]*right answer[^§]*2\.jpg/);
  assert.equal(page.match(/right answer/g)?.length, 1);
});

test('details beyond three open at a click', async () => {
  const page = await pageOf({
    results: [
      ranked(1, { details: { year: 2024, licence: null, night: false, by: 'Anna', lens: '50 mm' } }),
      ranked(2, { details: { year: 2024, licence: null, night: false, by: 'Anna' } }),
    ],
  });
  const [, first = '', second = ''] = page.split('<li');
  assert.match(
    first,
    /year[^§]*2024[^§]*licence[^§]*–[^§]*false[^§]*<details>[^§]*2 more[^§]*Anna[^§]*50 mm/,
  );
  assert.doesNotMatch(second, /<details>/);
});

test('links lead to files and the web only', async () => {
  const targets = [
    'file:///a%20b.jpg?x&y',
    'HTTPS://example.org/"><b>',
    'javascript:alert(1)',
    ' file:///a',
    'a.jpg',
  ];
  const page = await pageOf({ results: targets.map((href, index) => ranked(index + 1, { href })) });
  assert.deepEqual(
    [...page.matchAll(/href="([^"]*)"/g)].map(([, target]) => target),
    ['file:///a%20b.jpg?x&#38;y', 'HTTPS://example.org/&#34;&#62;&#60;b&#62;'],
  );
});

test('what data says stays text, and hides nothing', async () => {
  const hostile = `</title></style><script>alert("1")</script>'<img onerror=y>&amp;`;
  const page = await pageOf({
    ...{ title: hostile, prompt: `${hostile}$`, method: hostile, index: hostile, model: hostile },
    references: [{ label: hostile, thumbnail }],
    results: [ranked(1, { path: hostile, details: { [hostile]: hostile } })],
  });
  assert.ok(page.match(/&#60;script&#62;alert\(&#34;1&#34;\)/g)!.length >= 10);
  assert.match(
    page,
    /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:;/,
  );

  const unseen = await pageOf({
    results: [ranked(1, { path: 'a\n\0\x85\u202egpj.\u2066\ud800\u200f.jpg' })],
  });
  const spelt = 'a[U+000A][U+0000][U+0085][U+202E]gpj.[U+2066][U+D800][U+200F].jpg';
  assert.deepEqual(texts(unseen, 'name'), [spelt]);
  assert.ok(unseen.includes(`title="${spelt}"`));
  const long = await pageOf({ results: [ranked(1, { details: { text: 'x'.repeat(1_000_000) } })] });
  assert.ok(long.length < 30_000);
});
