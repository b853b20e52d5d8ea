/** What is read of what cameras write: known values in every format, and nothing that hostile bytes could bring about. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import { sequence } from '../core/index.ts';
import { exifOf } from './exif.ts';

const none = { taken: null, camera: null, lens: null, latitude: null, longitude: null };

function image(
  main: Record<string, string>,
  photo: Record<string, string> = {},
  place: Record<string, string> = {},
) {
  const canvas = sharp({ create: { width: 8, height: 6, channels: 3, background: 'red' } });
  return canvas.withExif({ IFD0: main, IFD2: photo, IFD3: place });
}
const complete = () =>
  image(
    { Make: 'Apple', Model: 'iPhone 13' },
    {
      DateTimeOriginal: '2024:05:01 14:03:22',
      LensModel: 'back camera 5.1mm f/1.6',
      OffsetTimeOriginal: '+09:00',
    },
    {
      GPSLatitudeRef: 'S',
      GPSLatitude: '33/1 51/1 2436/100',
      GPSLongitudeRef: 'E',
      GPSLongitude: '151/1 12/1 0/1',
    },
  );
const expected = {
  taken: '2024-05-01T14:03:22',
  camera: 'Apple iPhone 13',
  lens: 'back camera 5.1mm f/1.6',
  latitude: -33.8567667,
  longitude: 151.2,
};

describe('EXIF', () => {
  test('is read in every format that has it', async () => {
    for (const format of ['jpeg', 'png', 'webp', 'avif'] as const) {
      assert.deepEqual(exifOf(await complete().toFormat(format).toBuffer()), expected, format);
    }
    // What JPEG has is a block of TIFF, as are the files of most cameras' raw images. HEIC has it somewhere.
    const { exif } = await sharp(await complete().jpeg().toBuffer()).metadata();
    assert.deepEqual(exifOf(exif!.subarray(6)), expected);
    assert.deepEqual(exifOf(Buffer.concat([Buffer.from('....ftypheic and so on'), exif!])), expected);
    const plain = sharp({ create: { width: 8, height: 6, channels: 3, background: 'red' } });
    assert.deepEqual(exifOf(await plain.jpeg().toBuffer()), none);
    assert.deepEqual(exifOf(Buffer.from('<svg/>')), none);
    assert.deepEqual(exifOf(new Uint8Array()), none);
  });

  test('is null where it says nothing that can be', async () => {
    const of = async (...parts: Parameters<typeof image>) =>
      exifOf(
        await image(...parts)
          .jpeg()
          .toBuffer(),
      );
    for (const time of [
      '0000:00:00 00:00:00',
      '2024:02:30 12:00:00',
      '2024:05:01 25:00:00',
      '    :  :     :  :  ',
      'x',
    ]) {
      assert.equal((await of({}, { DateTimeOriginal: time })).taken, null, time);
    }
    const scanned = await of(
      {},
      { DateTimeOriginal: '0000:00:00 00:00:00', DateTimeDigitized: '1999:12:31 23:59:59' },
    );
    assert.equal(scanned.taken, '1999-12-31T23:59:59');
    const place = async (latitude: string, longitude: string, side = 'N') => {
      const { latitude: first, longitude: second } = await of(
        {},
        {},
        {
          GPSLatitudeRef: side,
          GPSLatitude: latitude,
          GPSLongitudeRef: 'W',
          GPSLongitude: longitude,
        },
      );
      return [first, second];
    };
    assert.deepEqual(await place('48/1 30/1 0/1', '2/1 15/1 0/1'), [48.5, -2.25]);
    assert.deepEqual(await place('48/1 30/1 0/0', '2/1 15/1 0/0'), [48.5, -2.25]);
    assert.deepEqual(await place('0/1 0/1 0/1', '0/1 0/1 0/1'), [null, null]);
    assert.deepEqual(await place('0/0 0/0 0/0', '2/1 15/1 0/1'), [null, null]);
    assert.deepEqual(await place('95/1 0/1 0/1', '2/1 15/1 0/1'), [null, null]);
    assert.deepEqual(await place('48/1 0/1 0/1', '2/1 15/1 0/1', 'X'), [null, null]);
  });

  test('names cameras once, in one line', async () => {
    const camera = async (make: string, model: string) =>
      exifOf(await image({ Make: make, Model: model }).jpeg().toBuffer()).camera;
    assert.equal(await camera('Canon', 'Canon EOS R5'), 'Canon EOS R5');
    assert.equal(await camera('NIKON CORPORATION', 'NIKON D750'), 'NIKON D750');
    assert.equal(await camera('samsung', 'SM-G991B'), 'samsung SM-G991B');
    assert.equal(await camera(' Olympus   Imaging\t', ' \u001b[31mE-M1 '), 'Olympus Imaging [31mE-M1');
    assert.equal((await camera('x', 'y'.repeat(60_000)))!.length, 258);
    // Exif 3.0's type for texts in UTF-8.
    const typed = Buffer.from(
      'II*\0\x08\0\0\0\x01\0\x0f\x01\x81\0\x04\0\0\0Zo\u00c3\u00ab\0\0\0\0',
      'latin1',
    );
    assert.equal(exifOf(typed).camera, 'Zo\u00eb');
  });

  test('never throws or hangs, whatever is changed or cut', async () => {
    const random = sequence({ seed: 7, purpose: 'order', moment: 0, row: 0 });
    for (const format of ['jpeg', 'png', 'webp', 'avif', 'tiff'] as const) {
      const whole = await complete().toFormat(format).toBuffer();
      for (let round = 0; round < 3000; round += 1) {
        const bytes = Buffer.from(whole.subarray(0, Math.ceil(whole.length * Math.min(1, random() * 2))));
        for (let change = 0; change < 4; change += 1) {
          const value = random() < 0.5 ? 0xff : Math.floor(random() * 256);
          bytes[Math.floor(random() * bytes.length)] = value;
        }
        const { camera, latitude } = exifOf(bytes);
        assert.ok((camera ?? '').length <= 513 && Math.abs(latitude ?? 0) <= 90);
      }
    }
    // Entries by the thousand, each of which claims all of the file.
    const hostile = Buffer.alloc(
      2 ** 20,
      'II*\0\x08\0\0\0\xff\xff\x0f\x01\x02\0\xff\xff\xff\x7f\0\0\0\0',
      'latin1',
    );
    assert.ok(exifOf(hostile));
    assert.ok(exifOf(Buffer.alloc(2 ** 20, '\xff\xe2\0\x02', 'latin1').fill('\xff\xd8', 0, 2, 'latin1')));
  });
});
