/** The process of a device: computes the batches that it receives, and ends with the process that started it. */

import { inspect } from 'node:util';
import { loadClip } from '../../clip/index.ts';
import { LincirError } from '../../core/index.ts';
import { TowerGraphs } from '../tower-graphs.ts';
import type { TowerRunner } from '../tower-task.ts';
import type { DeviceFacts } from './device.ts';
import { beginning, type DeviceWork, type FromDevice, type ToDevice } from './local-device.ts';
import { packResult, protocol, readTask, type TaskLimits } from './messages.ts';

let graphs: { readonly runner: TowerRunner; readonly limits: TaskLimits } | undefined;

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// The signal is for the parent, which has something to finish, and will end this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

process.on('message', async (message: ToDevice) => {
  const id = 'begin' in message ? beginning : message.id;
  tell({ id, ...(await answerTo(message).catch(failure)) });
});

async function answerTo(message: ToDevice) {
  if ('begin' in message) return { facts: await begin(message.begin) };
  const task = await readTask(message.task, graphs!.limits);
  const [result] = await graphs!.runner.run([task]);
  return { result: packResult(result!) };
}

async function begin(work: DeviceWork): Promise<DeviceFacts> {
  const { model: folder, positions, device = 'cpu', precision = 'float32' } = work;
  const { textConfig: config, checkpoint, tokenizer, fingerprint } = await loadClip(folder);
  const model = { config, tensors: checkpoint.tensors, startOfText: tokenizer.startOfText };
  const { deviceId, threads } = work;
  const runner = await TowerGraphs.create(model, { device, deviceId, threads, precision });
  graphs = { runner, limits: { config, positions } };
  return { protocol, fingerprint, device, precision, positions, processes: 1 };
}

function failure(error: unknown) {
  if (!(error instanceof LincirError)) return { crashed: inspect(error) };
  const { cause: _, ...problem } = error.problem;
  return { failed: { code: error.code, problem } };
}

function tell(message: FromDevice): void {
  if (process.connected) process.send!(message);
}
