/** What servers do by default; loads no library. */

export { defaultSettings } from './settings.ts';
