/** Tells zod, before it makes a schema, that the page's policy allows no code out of text: to try is an error in the console. */

import { config } from 'zod';

config({ jitless: true });
