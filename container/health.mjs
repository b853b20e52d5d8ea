// Asks the server in this container whether it is ready, with its key if it has one. Exits with 1 if it is not.

import { existsSync, readFileSync } from 'node:fs';

const { LINCIR_API_KEY, LINCIR_KEYS = '/run/secrets/lincir_keys', LINCIR_PORT = '5462' } = process.env;
const key = LINCIR_API_KEY || (existsSync(LINCIR_KEYS) && readFileSync(LINCIR_KEYS, 'utf8').trim().split(/\s+/)[0]);
const response = await fetch(`http://127.0.0.1:${LINCIR_PORT}/health/ready`, {
  headers: key ? { authorization: `Bearer ${key}` } : {},
  signal: AbortSignal.timeout(8000),
}).catch((error) => ({ ok: false, text: () => `${error.cause ?? error}` }));
console.log(await response.text());
process.exitCode = response.ok ? 0 : 1;
