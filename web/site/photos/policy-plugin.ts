/** Puts the model's hosts into the page's policy: the browser lets the page talk to no others. */

import type { Plugin } from 'vite';

/** Where the hub's files really are: it redirects there. */
const storage = 'https://*.hf.co https://*.huggingface.co';

/** @param endpoint another hub, such as a mirror (`HF_ENDPOINT`); it must hand out its files itself, or from subdomains */
export function hubPolicy(endpoint: string | undefined): Plugin {
  const own = endpoint === undefined ? `https://huggingface.co ${storage}` : new URL(endpoint).origin;
  return {
    name: 'lincir-hub-policy',
    transformIndexHtml: {
      order: 'pre',
      handler: (html) => html.replace('%HUB_HOSTS%', own),
    },
  };
}
