/** A module that is only imported on demand: its address tells whether such modules are files of their own. */

export const address: string | undefined = import.meta.url;
