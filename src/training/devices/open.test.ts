/** Opening devices: whoever computes other last bits is told of, and used all the same. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { tinyModel } from '../../../test/served.ts';
import { readConfigOf } from '../../clip/index.ts';
import { folderFiles } from '../../files/index.ts';
import type { DeviceChange } from './dealer.ts';
import { packResult, readTask, resultSizes } from './messages.ts';
import { openDevices } from './open.ts';

const config = (await readConfigOf(folderFiles(tinyModel)))!.text!;
const facts = {
  ...{ protocol: 1, fingerprint: 'f', device: 'cpu', precision: 'float32', positions: 80, processes: 1 },
};

/** A machine whose results are all one value. */
async function machine(value: number) {
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return response.end(JSON.stringify(facts));
    const bytes = new Uint8Array(Buffer.concat(await request.toArray()));
    const sizes = Object.entries(resultSizes(await readTask(bytes, { config, positions: 80 }), config));
    const arrays = sizes.map(([name, size]) => [name, new Float32Array(size).fill(value)]);
    return response.end(packResult(Object.fromEntries(arrays)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

test('a machine with other last bits is told of, and used', async () => {
  const machines = await Promise.all([1, 1, 1 + 2 ** -23].map(machine));
  const told = Promise.withResolvers<DeviceChange>();
  const dealer = await openDevices({
    ...{ devices: machines.map(({ url }) => url), model: tinyModel, fingerprint: 'f', config, positions: 80 },
    onChange: told.resolve,
  });
  try {
    const { device, state, reason } = await told.promise;
    assert.equal(state, 'differs');
    const odd = machines[2]!.url;
    const others = machines.map(({ url }) => url).filter((url) => url !== device);
    const [, measure] =
      /^its last bits differ from those of (\S+), so phi is the same to rounding/.exec(reason!) ?? [];
    // Whoever answers first is the measure.
    assert.ok(others.includes(measure!) && [device, measure].includes(odd), `${device}: ${reason}`);
    assert.equal(dealer.devices.length, 3);
  } finally {
    await dealer.close();
    for (const { server } of machines) server.close();
  }
});
