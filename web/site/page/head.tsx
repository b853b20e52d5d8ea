/** The page's head: its name, its parts, light or dark. */

import { useEffect, useState } from 'preact/hooks';
import { ThemeButton } from '../shell/theme-button.tsx';

export function Head() {
  const isScrolled = useIsScrolled();
  return (
    <header class={`head${isScrolled ? ' scrolled' : ''}`}>
      <a class="brand" href="./">
        lincir
      </a>
      <nav aria-label="Parts of this page">
        <a href="#search">Search</a>
        <a href="#how">How it works</a>
        <a href="#learn" class="always">
          Learn
        </a>
        <a href="#yours" class="always">
          Your photos
        </a>
      </nav>
      <ThemeButton />
    </header>
  );
}

function useIsScrolled(): boolean {
  const [isScrolled, setIsScrolled] = useState(false);
  useEffect(() => {
    const look = () => setIsScrolled(scrollY > 8);
    addEventListener('scroll', look, { passive: true });
    return () => removeEventListener('scroll', look);
  }, []);
  return isScrolled;
}
