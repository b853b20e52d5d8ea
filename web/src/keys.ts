/** Keys that work anywhere on the page, outside of text fields. Those without Ctrl can be switched off (WCAG 2.1.4). */

import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Route } from './route.ts';

const key = 'lincir:keys';

export function useKeys(route: Route, onHelp: () => void): readonly [boolean, (has: boolean) => void] {
  const [hasKeys, setHasKeys] = useState(() => {
    try {
      return localStorage.getItem(key) !== 'off';
    } catch {
      return true;
    }
  });

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const isText = target.matches('textarea, select, input:not([type=checkbox], [type=range])');
      if (isText || document.querySelector('dialog[open]') !== null || event.defaultPrevented) return;
      const command = (event.ctrlKey || event.metaKey) && !event.altKey;
      const name = event.key.toLowerCase();
      if (command && (name === 'z' || name === 'y')) {
        const act = name === 'y' || event.shiftKey ? route.redo : route.undo;
        act?.();
      } else if (hasKeys && !command && name === '?') onHelp();
      else if (hasKeys && !command && name === '/') document.getElementById('words')?.focus();
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [route, onHelp, hasKeys]);

  const set = useCallback((has: boolean) => {
    setHasKeys(has);
    try {
      localStorage.setItem(key, has ? 'on' : 'off');
    } catch {
      // It holds until the page is left.
    }
  }, []);
  return [hasKeys, set];
}
