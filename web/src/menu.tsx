/** A menu beside the button that opens it: with its own keyboard, and closed by Escape or a click elsewhere. */

import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icons.tsx';

export interface MenuItem {
  readonly label: string;
  readonly icon?: IconName;
  /** A key that does the same where the menu's button is. */
  readonly shortcut?: string | undefined;
  /** A line is drawn above. */
  readonly apart?: boolean;
  readonly act: () => void;
}

interface OpenMenu {
  readonly anchor: HTMLElement;
  readonly label: string;
  readonly items: readonly MenuItem[];
}

/** `element` belongs where the menu is to be reachable: inside of a dialog, if its button is there. */
export function useMenu() {
  const [menu, setMenu] = useState<OpenMenu>();
  const open = useCallback((anchor: HTMLElement, label: string, items: readonly MenuItem[]) => {
    setMenu((old) => (old?.anchor === anchor ? undefined : { anchor, label, items }));
  }, []);
  const close = useCallback(() => setMenu(undefined), []);
  return { open, element: menu && <Menu {...menu} onClose={close} /> };
}

function Menu({ anchor, label, items, onClose }: OpenMenu & { readonly onClose: () => void }) {
  const menu = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = menu.current!;
    element.showPopover();
    place(element, anchor);
    anchor.setAttribute('aria-expanded', 'true');
    element.querySelector<HTMLElement>('[role=menuitem]')?.focus({ preventScroll: true });
    const onToggle = (event: Event) => {
      if ((event as ToggleEvent).newState === 'closed') onClose();
    };
    const onScroll = () => element.hidePopover();
    element.addEventListener('toggle', onToggle);
    addEventListener('resize', onScroll);
    addEventListener('scroll', onScroll, { passive: true });
    return () => {
      element.removeEventListener('toggle', onToggle);
      removeEventListener('resize', onScroll);
      removeEventListener('scroll', onScroll);
      anchor.setAttribute('aria-expanded', 'false');
      if (element.contains(document.activeElement) || document.activeElement === document.body)
        anchor.focus();
    };
  }, [anchor, onClose]);

  const onKeyDown = (event: KeyboardEvent) => {
    const all = [...menu.current!.querySelectorAll<HTMLElement>('[role=menuitem]')];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = {
      ArrowDown: (at + 1) % all.length,
      ArrowUp: (at - 1 + all.length) % all.length,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    event.stopPropagation();
    if (to !== undefined) {
      event.preventDefault();
      all[to]!.focus();
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      onClose();
      anchor.focus();
    } else {
      const item = items.find(({ shortcut }) => shortcut?.toLowerCase() === event.key.toLowerCase());
      if (item && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        onClose();
        item.act();
      }
    }
  };

  return (
    <div
      class="menu"
      popover="auto"
      role="menu"
      tabIndex={-1}
      aria-label={label}
      ref={menu}
      onKeyDown={onKeyDown}
    >
      {items.map(({ label: name, icon, shortcut, apart, act }) => (
        <button
          type="button"
          role="menuitem"
          aria-label={name}
          aria-keyshortcuts={shortcut}
          tabIndex={-1}
          class={apart ? 'apart' : undefined}
          onClick={() => {
            anchor.focus({ preventScroll: true });
            onClose();
            act();
          }}
        >
          {icon && <Icon name={icon} />}
          <span>{name}</span>
          {shortcut && <span class="key">{shortcut}</span>}
        </button>
      ))}
    </div>
  );
}

/** Below the anchor, or above it where there is no room, and always within the window. */
function place(menu: HTMLElement, anchor: HTMLElement): void {
  const { left, right, top, bottom } = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const x = left + width <= innerWidth - 8 ? left : right - width;
  const y = bottom + height + 4 <= innerHeight - 8 ? bottom + 4 : top - height - 4;
  menu.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
  menu.style.top = `${Math.max(8, y)}px`;
}
