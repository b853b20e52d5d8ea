/** A page for tests: it has the client, and nothing to see. */

import { openWorld } from '../client.ts';

Object.assign(globalThis, { openWorld });
