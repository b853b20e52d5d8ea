/** Images and what comes with them: their files, shards, embeddings, metadata, lists, masks, filters. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { Header } from 'tar';
import { headerProblems } from '../../../src/benchmarks/image-facts.ts';
import { bare, sizeInHeader } from '../../../src/browser/header.ts';
import { decodeImage } from '../../../src/decoding/index.ts';
import { writeNpy, writeSafetensors } from '../../../src/files/index.ts';
import { exifOf } from '../../../src/pictures/exif.ts';
import {
  cutRegion,
  indexedBytes,
  openEmbeddings,
  openMetadata,
  openSources,
  type Region,
  thumbnailOf,
} from '../../../src/pictures/index.ts';
import { filterPredicate } from '../../../src/store/filter/predicate.ts';
import { filterSql } from '../../../src/store/filter/sql.ts';
import { parseFilter } from '../../../src/store/index.ts';
import { bytesOf, drain, filled, jsonTokens, ofFile, type Target, textTokens } from '../target.ts';
import { safetensorsRepair, safetensorsTokens } from './weights.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

const csv = 'path,title,rating,ok\na.jpg,"a ""good"" one",5,true\n./b.jpg,,3.5,false\n';
const jsonl =
  '{"path":"a.jpg","rating":5,"id":12345678901234567890,"tags":["x",{"y":1}]}\n{"path":"b","ok":true}\n';
/** Decoding may take this many pixels: a hostile header asks for more. */
const maxPixels = 2 ** 20;

export async function pictureTargets(folder: string) {
  const images = join(fixtures, 'images');
  const names = await readdir(images);
  const seedsOf = (...endings: string[]) =>
    Promise.all(
      names
        .filter((name) => endings.some((ending) => name.endsWith(ending)) && name !== 'large.jpg')
        .map((name) => readFile(join(images, name))),
    );
  const formats = async (...endings: string[]) => {
    const found = (await readdir(join(fixtures, 'formats'))).filter((name) =>
      endings.includes(name.split('.')[1]!),
    );
    return await Promise.all(found.map((name) => readFile(join(fixtures, 'formats', name))));
  };
  const small = { create: { width: 9, height: 7, channels: 3, background: 'red' } } as const;
  const made = (format: 'avif' | 'tiff') => sharp(small).toFormat(format).toBuffer();
  const exif = await sharp(small)
    .withExif({
      IFD0: { Make: 'maker', Model: 'model' },
      IFD2: { DateTimeOriginal: '2024:05:01 14:03:22', LensModel: 'lens' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '51/1 30/1 3230/100',
        GPSLongitudeRef: 'W',
        GPSLongitude: '0/1 7/1 4366/100',
      },
    })
    .jpeg()
    .toBuffer();
  const look = ofFile(folder, 'picture', async (path) => {
    await headerProblems([path]);
    await thumbnailOf(path, 32);
  });
  const picture = (seeds: readonly Uint8Array[], tokens: readonly string[]): Target => ({
    ...{ covers: decoders, seeds, tokens, share: 1 / 4 },
    read: async (bytes) => {
      await look(bytes);
      await decodeImage(bytes, 'picture', maxPixels);
    },
  });
  const metadata = (name: string, seeds: readonly Uint8Array[], tokens: readonly string[]): Target => ({
    ...{ seeds, tokens },
    covers: ['pictures/metadata/metadata.ts', 'pictures/metadata/text.ts', 'tables/delimited.ts'],
    read: ofFile(folder, name, async (path) => {
      const file = await openMetadata(path, { reserved: new Set(['folder']) });
      await drain(file.rows());
    }),
  });
  const rows = async (path: string, named?: string) => {
    const file = await openEmbeddings(path, named);
    await drain(file.rows());
  };
  await filled(folder, { 'e.safetensors': '', 'e.npy': '', 'e.names.jsonl': '"a"\n"b"\n' });
  await writeSafetensors(join(folder, 'e.safetensors'), [
    { name: 'embeddings', type: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { name: 'names', type: 'uint8', shape: [8], data: bytesOf('"a"\n"b"\n') },
  ]);
  await writeNpy(
    join(folder, 'e.npy'),
    [2, 3],
    (async function* () {
      yield Float32Array.of(1, 2, 3, 4, 5, 6);
    })(),
  );
  const embeddings = await readFile(join(folder, 'e.safetensors'));
  const array = await readFile(join(folder, 'e.npy'));
  const photos = await filled(join(folder, 'photos'), { 'a.png': 'a', 'b c.png': 'b' });
  const pictures = async (sources: Awaited<ReturnType<typeof openSources>>) => {
    for await (const { path } of sources.pictures()) await indexedBytes(path);
  };
  const all = (await readdir(join(fixtures, 'captions'))).filter((name) => name.endsWith('.parquet'));
  const parquets = ['required.parquet', ...all]; // it has a name in every row
  return {
    png: picture(await seedsOf('.png'), [
      'IHDR',
      'IDAT',
      'PLTE',
      'tRNS',
      'iCCP',
      'eXIf',
      'IEND',
      '\0\0\0\x0d',
    ]),
    jpeg: picture(await seedsOf('.jpg'), [
      '\xff\xd8',
      '\xff\xc0',
      '\xff\xc2',
      '\xff\xda',
      '\xff\xe1',
      'Exif\0\0',
      'II*\0',
    ]),
    webp: picture(await seedsOf('.webp'), ['RIFF', 'WEBP', 'VP8 ', 'VP8L', 'VP8X', 'ANMF', 'ALPH', 'EXIF']),
    gif: picture(await seedsOf('.gif'), ['GIF89a', '\x21\xf9\x04', '\x2c', '\x21\xff\x0bNETSCAPE2.0']),
    tiff: picture(
      [...(await seedsOf('.tif')), await made('tiff')],
      ['II*\0', 'MM\0*', '\x00\x01\x03\0', '\x11\x01\x04\0'],
    ),
    avif: picture([await made('avif')], ['ftyp', 'avif', 'meta', 'ispe', 'iloc', 'mdat', 'av1C']),
    svg: picture(
      [
        bytesOf(
          '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="7"><rect width="5" height="5" fill="red"/></svg>',
        ),
      ],
      [
        ...[
          '<g>',
          '</g>',
          '<!DOCTYPE a [<!ENTITY b "c">]>',
          '&b;',
          'width="1e9"',
          '<image href="/etc/passwd"/>',
        ],
        ...[
          '<filter id="f"><feTurbulence/></filter>',
          'filter="url(#f)"',
          '<use href="#f"/>',
          '<text>',
          '"',
          '>',
        ],
      ],
    ),
    heic: picture(await formats('heic', 'heif'), [
      'ftyp',
      'heic',
      'meta',
      'ispe',
      'iloc',
      'mdat',
      'hvcC',
      'irot',
    ]),
    jpeg2000: picture(await formats('jp2', 'j2k'), [
      'jP  ',
      'ftyp',
      'jp2h',
      'ihdr',
      '\xff\x4f\xff\x51',
      '\xff\x90',
    ]),
    jxl: picture(await formats('jxl'), ['JXL ', 'jxlc', 'jxlp', 'ftyp', '\xff\x0a']),
    bmp: picture(await formats('bmp'), ['BM', '\x28\0\0\0', '\x18\0', '\xff\xff\xff\xff', '\x01\0']),
    raw: picture(
      [Buffer.concat([bytesOf('FUJIFILMCCD-RAW 0201'), new Uint8Array(80), exif, new Uint8Array(99)])],
      ['FUJIFILMCCD-RAW', '\xff\xd8\xff', '\xff\xd9', '\xff\xc0', '\xff\xda', 'II*\0', 'CMT1', 'ftyp'],
    ),
    exif: {
      covers: ['pictures/exif.ts', 'browser/header.ts'],
      seeds: [exif, ...(await seedsOf('exif6.jpg', 'exif6.png', 'exif6.webp'))],
      tokens: [
        'II*\0',
        'MM\0*',
        'Exif\0\0',
        '\x69\x87\x04\0',
        '\x25\x88\x04\0',
        '\x05\0\x03\0\0\0',
        '\xff\xff\xff\xff',
        '2024:05:01 ',
      ],
      read: async (bytes) => {
        exifOf(bytes);
        sizeInHeader(bytes);
        for (const format of ['jpeg', 'png', 'webp'] as const) bare(Uint8Array.from(bytes), format);
      },
    },
    shard: {
      covers: [
        'pictures/tar.ts',
        'pictures/tar-header.ts',
        'pictures/bytes.ts',
        'pictures/sources.ts',
        'pictures/shards.ts',
      ],
      seeds: [shardOf('a.png', 'sub/b.jpg'), shardOf(`${'long/'.repeat(30)}c.png`, './d.png')],
      repair: withChecksums,
      tokens: [
        'ustar\x0000',
        'ustar  \0',
        '../',
        '/',
        '0000644\0',
        '77777777777\0',
        'L',
        'x',
        'g',
        '20 path=a.png\n',
      ],
      read: ofFile(
        folder,
        'a.tar',
        async (path) => await pictures(await openSources([path], { onUnreadable: () => {} })),
      ),
    },
    'list-of-paths': {
      covers: ['pictures/sources.ts'],
      seeds: [
        bytesOf(`${photos}/a.png\n${photos}/b c.png\n`),
        bytesOf(`${photos}/a.png\0${photos}/b c.png\0`),
      ],
      tokens: [...textTokens, photos, 'a.png'],
      read: ofFile(folder, 'list.txt', async (path) => {
        const sources = await openSources([], { lists: [path], onUnreadable: () => {} });
        // A list may name any file, which the fuzzer denies.
        await pictures(sources).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ERR_ACCESS_DENIED') throw error;
        });
      }),
    },
    'embeddings-safetensors': {
      covers: ['pictures/embeddings.ts'],
      seeds: [embeddings],
      repair: safetensorsRepair(32),
      tokens: safetensorsTokens,
      read: ofFile(folder, 'e.safetensors', (path) => rows(path)),
    },
    'embeddings-npy': {
      covers: ['pictures/embeddings.ts'],
      seeds: [array],
      tokens: ["{'descr': ", "'<f8'", '(2, 3)', '(', ')', ', ', '\x93NUMPY'],
      read: ofFile(folder, 'e.npy', (path) => rows(path)),
    },
    'embeddings-names': {
      covers: ['pictures/embeddings.ts'],
      seeds: [bytesOf('"a"\n"b"\n')],
      tokens: [...jsonTokens, '\n'],
      read: ofFile(folder, 'names.jsonl', async (path) => {
        await filled(folder, { 'e.npy': array });
        await rows(join(folder, 'e.npy'), path);
      }),
    },
    'metadata-csv': metadata('m.csv', [bytesOf(csv)], textTokens),
    'metadata-tsv': metadata('m.tsv', [bytesOf(csv.replaceAll(',', '\t'))], textTokens),
    'metadata-jsonl': metadata('m.jsonl', [bytesOf(jsonl)], [...jsonTokens, '"path"', '\n']),
    'metadata-parquet': {
      covers: ['pictures/metadata/parquet.ts'],
      seeds: await Promise.all(parquets.map((name) => readFile(join(fixtures, 'captions', name)))),
      tokens: ['PAR1', '\x15\x00', '\x19', '\x1c', '\x18\x04', '\xff\xff\xff\xff\x0f', '\x15\x80', 'text'],
      read: ofFile(folder, 'm.parquet', async (path) => {
        const file = await openMetadata(path, { reserved: new Set(), key: 'text' });
        await drain(file.rows());
      }),
    },
    masks: {
      covers: ['pictures/region.ts'],
      seeds: [
        bytesOf(
          '{"box":{"left":1,"top":1,"right":6,"bottom":5},"mask":{"polygons":[[1,1,5,1,5.5,4]]},"square":"pad"}',
        ),
        bytesOf(
          '{"box":{"left":0,"top":0,"right":8,"bottom":6},"mask":{"runs":[3,5,40],"height":6,"width":8},"square":"squash"}',
        ),
      ],
      tokens: ['1e308', '-1', '0.5', '[', ']', ',', '1e9', '0,0', '{', '}'],
      read: async (bytes) => cutRegion(image, regionIn(bytes), 'picture'),
    },
    filter: {
      covers: ['store/filter/filter.ts', 'store/filter/sql.ts', 'store/filter/predicate.ts'],
      seeds: [
        bytesOf(`rating >= 4 and folder = 'holiday' and not (camera like 'Can%n_')`),
        bytesOf(`ok or "rating" between 1 and 5.5 or camera in ('a', 'b''c') and taken > '2024-05-01'`),
        bytesOf(`camera is not null and (folder ilike '%x' or rating not in (1, 2e3))`),
      ],
      tokens: [
        ...`'"()%_\\,=<>! `,
        ' and ',
        ' or ',
        'not ',
        ' in ',
        ' like ',
        'is null',
        ' between ',
        '2024-02-30',
        '1e999',
        '%%%%',
      ],
      read: async (bytes) => {
        const filter = parseFilter(Buffer.from(bytes).toString(), columns);
        filterSql(filter);
        filterPredicate(filter)({ rating: 4, folder: 'a'.repeat(40), camera: null, ok: true, taken: 0 });
      },
    },
  } satisfies Record<string, Target>;
}

const decoders = [
  ...['decode', 'decode-here', 'format', 'magick-decode', 'raw-preview', 'source', 'vips-decode'].map(
    (name) => `decoding/${name}.ts`,
  ),
  ...['benchmarks/image-facts.ts', 'pictures/thumbnail.ts', 'pictures/looks.ts'],
];

const columns = new Map([
  ['rating', 'number'],
  ['folder', 'string'],
  ['camera', 'string'],
  ['ok', 'boolean'],
  ['taken', 'time'],
] as const);

const image = { width: 8, height: 6, data: new Uint8Array(8 * 6 * 3) };

/** A region of numbers as benchmarks' schemas let them through; others are not the fault of who cuts it. */
function regionIn(bytes: Uint8Array): Region {
  const plain = {
    box: { left: 0, top: 0, right: 8, bottom: 6 },
    square: 'pad',
  } as const;
  try {
    const { box, mask, square } = JSON.parse(Buffer.from(bytes).toString());
    const areNumbers = (list: unknown) => Array.isArray(list) && list.every(Number.isFinite);
    const isRun = (list: unknown) =>
      areNumbers(list) && (list as number[]).every((run) => Number.isSafeInteger(run) && run >= 0);
    const fits =
      areNumbers([box.left, box.top, box.right, box.bottom]) &&
      (square === 'pad' || square === 'squash') &&
      ('runs' in mask
        ? isRun([...mask.runs, mask.height, mask.width])
        : mask.polygons.every((polygon: unknown[]) => areNumbers(polygon) && polygon.length % 2 === 0));
    return fits ? { box, mask, square } : plain;
  } catch {
    return plain;
  }
}

/** A tar archive of files of a few bytes. */
function shardOf(...names: readonly string[]): Uint8Array {
  const blocks = names.flatMap((path) => {
    const block = Buffer.alloc(1024);
    new Header({ path, size: 5, type: 'File', mode: 0o644 }).encode(block, 0);
    block.write('bytes', 512);
    return [block];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Puts the right checksum into what stands where headers may be. */
function withChecksums(bytes: Uint8Array): Uint8Array {
  const whole = Buffer.from(bytes);
  for (let at = 0; at + 512 <= whole.length; at += 512) {
    if (whole[at] === 0 || whole.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    whole.fill(' ', at + 148, at + 156);
    const sum = whole.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    whole.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return whole;
}
