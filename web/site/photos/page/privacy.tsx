/** The page's promise, which its policy makes the browser keep. It is read from that policy, so that it says all that is allowed. */

import { Fragment } from 'preact';
import { Icon } from '../../../src/icons.tsx';

export function Privacy() {
  const hosts = hostsOf(policy());
  return (
    <p class="promise">
      <Icon name="lock" />
      <span>
        <strong>Nothing leaves this machine.</strong> This page may only talk to {location.host}, where its
        own files come from, and to the model’s host, to fetch the model:{' '}
        {hosts.map((host, at) => (
          <Fragment key={host}>
            {at > 0 && (at === hosts.length - 1 ? ' and ' : ', ')}
            <bdi>{host}</bdi>
          </Fragment>
        ))}
        . It sends them no picture and no words. Your browser keeps it from talking to anyone else.
      </span>
    </p>
  );
}

function policy(): string {
  return document.querySelector<HTMLMetaElement>('meta[http-equiv="Content-Security-Policy"]')?.content ?? '';
}

/** Those that scripts may talk to, beside the page's own. */
function hostsOf(text: string): string[] {
  const [, sources = ''] = /connect-src ([^;]*)/.exec(text) ?? [];
  return sources
    .split(' ')
    .filter((source) => source !== '' && source !== "'self'")
    .map((source) => source.replace(/^https:\/\//, ''));
}
