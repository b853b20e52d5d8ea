/** Loads libraries that are no part of Node, to know that they can be loaded, and so that others find them by name. */

import { constants } from 'node:os';

/** glibc's flag that keeps a library loaded: Node unloads whatever is not its own. */
const RTLD_NODELETE = 0x1000;

/** Whether the system can load a library, by its path or by its name. On Linux; it stays loaded. */
export function canLoad(library: string): boolean {
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  try {
    process.dlopen({ exports: {} }, library, RTLD_NOW! | RTLD_GLOBAL! | RTLD_NODELETE);
    return true;
  } catch (error) {
    // It was loaded, but is no part of Node.
    return error instanceof Error && error.message.startsWith('Module did not self-register');
  }
}
