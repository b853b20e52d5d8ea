/** The button that changes between light, dark and the system's colours. */

import { Icon } from '../../src/icons.tsx';
import { useTheme } from '../../src/use-theme.ts';

export function ThemeButton() {
  const { theme, title, name, change } = useTheme();
  return (
    <button type="button" class="plain square" aria-label={name} title={title} onClick={change}>
      <Icon name={theme} />
    </button>
  );
}
