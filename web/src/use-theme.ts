/** The theme that a page shows, and the step to the next one, for its button. */

import { useState } from 'preact/hooks';
import { keepTheme, readTheme, themes } from './theme.ts';

export function useTheme() {
  const [theme, setTheme] = useState(readTheme);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length]!;
  const change = () => {
    keepTheme(next);
    setTheme(next);
  };
  return { theme, title: `Colours: ${theme}`, name: `Colours: ${theme}. Change to ${next}`, change };
}
