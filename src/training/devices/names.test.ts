/** Lists of devices: what they name, and what is refused. */

import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { ownPlace, placesOf } from './names.ts';

test('numbers are CUDA devices, cpu:3 is three processes, and an address is a machine', () => {
  const cuda = (deviceId: number) => ({
    name: `cuda:${deviceId}`,
    device: 'cuda',
    deviceId,
    threads: undefined,
  });
  assert.deepEqual(placesOf(['0', '3', 'cuda', 'cuda:1']), [cuda(0), cuda(3), cuda(0), cuda(1)]);
  assert.deepEqual(placesOf(['webgpu']), [{ name: 'webgpu', device: 'webgpu', threads: undefined }]);
  assert.deepEqual(
    placesOf(['https://gpu.example.org', 'http://10.0.0.7:5463/']).map(
      (place) => 'address' in place && place.address,
    ),
    ['https://gpu.example.org', 'http://10.0.0.7:5463'],
  );
});

test('processes on the CPU divide its cores, unless each is given threads', () => {
  const threads = (list: string[], given?: number) =>
    placesOf(list, given).map((place) => ('address' in place ? 'elsewhere' : place.threads));
  const cores = availableParallelism();
  assert.deepEqual(threads(['cpu']), [undefined]);
  assert.deepEqual(threads(['cpu', 'http://a:1']), [undefined, 'elsewhere']);
  assert.deepEqual(threads(['cpu:2']), [
    Math.max(1, Math.floor(cores / 2)),
    Math.max(1, Math.floor(cores / 2)),
  ]);
  assert.deepEqual(threads(['cpu:200']), new Array(200).fill(Math.max(1, Math.floor(cores / 200))));
  assert.deepEqual(threads(['cpu:2'], 3), [3, 3]);
});

test('processes on the CPU have numbers of their own through the whole list', () => {
  const names = placesOf(['cpu:2', 'http://a:1', 'cpu']).map(({ name }) => name);
  assert.deepEqual(names, ['cpu, process 1', 'cpu, process 2', 'http://a:1', 'cpu, process 3']);
});

test('what is not dealt out is computed on the first device that is here', () => {
  const own = (devices?: string[]) => ownPlace({ device: 'webgpu', devices, threads: 2 });
  assert.deepEqual(own(), { device: 'webgpu', threads: 2 });
  assert.deepEqual(own(['http://a:1', '2', '1']), { device: 'cuda', deviceId: 2, threads: 2 });
  assert.deepEqual(own(['http://a:1']), { device: undefined, deviceId: undefined, threads: 2 });
});

test('other names, no device, too many, and different kinds are refused', () => {
  const refuses = (list: string[], message: RegExp) =>
    assert.throws(() => placesOf(list), { code: 'bad-argument', message });
  for (const name of ['', 'gpu', 'cpu:', 'cpu:two', 'webgpu:1', '-1', '1.5', 'cuda:00000', 'cpu: 2']) {
    refuses([name], /`devices`: expected 0 or cuda:0, webgpu/);
  }
  for (const name of ['http://', 'http://a:99999', 'http://a/b', 'http://user@a', 'http://a?b']) {
    refuses([name], /`devices`: expected an address such as/);
  }
  refuses([], /expected 1 to 256 devices, found none/);
  refuses(['cpu:0'], /expected at least one process, found "cpu:0"/);
  refuses(['cpu:257'], /expected 1 to 256 devices, found 257/);
  refuses(['http://a:1', 'http://a:1/'], /expected each address once, found "http:\/\/a:1" twice/);
  refuses(['0', 'cpu'], /expected devices of one kind, found cuda and cpu/);
});
