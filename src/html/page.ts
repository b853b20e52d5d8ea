/** The shell of every page: one file that opens from disk, needs no other file, and loads nothing. */

import { createHash } from 'node:crypto';
import { baseStyle } from './style.ts';
import { escapeHtml } from './text.ts';

interface Page {
  /** Text. */
  readonly title: string;
  /** Rules in addition to those of all pages. */
  readonly style: string;
  /** Markup, in order. */
  readonly body: readonly string[];
  /** The whole script. Without it, no script may run. */
  readonly script?: string;
}

export function page({ title, style, body, script }: Page): string {
  const policy = [
    // Even if data got into the markup, it could load and run nothing.
    `default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`,
    ...(script ? [`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`] : []),
  ];
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="${policy.join('; ')}">`,
    '<meta name="referrer" content="no-referrer">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${baseStyle}${style}</style>`,
    '<main>',
    ...body.filter((part) => part !== ''),
    '</main>',
    ...(script ? [`<script>${script}</script>`] : []),
    '</html>',
    '',
  ].join('\n');
}
