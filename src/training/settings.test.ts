/** Settings that are refused: what was found stands in the error as it was given. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkedSettings, resumedSettings } from './settings.ts';

const given = { model: 'mini', captions: ['a.txt'] };

test('what was found is quoted once', () => {
  for (const [wrong, found] of [
    [{ precision: 'int8' }, /found "int8"$/],
    [{ devices: 'cpu:2' }, /found "cpu:2"$/],
    [{ captions: ['a "b"', 3] }, /found 3$/],
    [{ device: { name: 'x' } }, /found \{"name":"x"\}$/],
    [{ captions: undefined }, /found nothing$/],
    [{ stepz: 1, 'a b': 2 }, /found "stepz, a b"$/],
  ] as const) {
    assert.throws(() => checkedSettings({ ...given, ...wrong }), { code: 'bad-argument', message: found });
  }
  const stored = checkedSettings(given);
  assert.throws(
    () => resumedSettings(stored, { precision: 'float16', captions: ['b.txt'], seed: 1 }, 'run'),
    {
      message:
        /found captions \["b.txt"\] instead of \["a.txt"\], precision "float16" instead of "float32", seed 1 /,
    },
  );
});
