/** The page's promise, which its policy makes the browser keep. */

import { Icon } from '../../../src/icons.tsx';

/** The build puts it in. */
declare const HUB_ENDPOINT: string;
/** The model's host, as the page's policy has it. */
const host: string = new URL(HUB_ENDPOINT).host;

export function Privacy() {
  return (
    <p class="promise">
      <Icon name="lock" />
      <span>
        <strong>Nothing leaves this machine.</strong> This page may only talk to the model’s host, {host}, to
        fetch the model. Your browser enforces it.
      </span>
    </p>
  );
}
