/** A thread behind OptimizerMemory: helps with its passes until it is terminated. */

import { parentPort, workerData } from 'node:worker_threads';
import { helpWithPasses } from '../core/index.ts';

helpWithPasses(workerData, () => parentPort!.postMessage('ready'));
