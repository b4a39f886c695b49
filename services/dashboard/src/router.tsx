// Pages by path, without a reload between them.

import {
  type AnchorHTMLAttributes,
  type MouseEvent,
  useSyncExternalStore,
} from 'react';

const MOVED = 'assay:moved';

export function goTo(address: string, how: 'push' | 'replace' = 'push') {
  if (how === 'push') history.pushState(null, '', address);
  else history.replaceState(null, '', address);
  window.dispatchEvent(new Event(MOVED));
}

// Path and query of the page; rerenders whoever uses it when they change.
export function useAddress(): URL {
  const address = useSyncExternalStore(
    (changed) => {
      window.addEventListener('popstate', changed);
      window.addEventListener(MOVED, changed);
      return () => {
        window.removeEventListener('popstate', changed);
        window.removeEventListener(MOVED, changed);
      };
    },
    () => location.pathname + location.search,
  );
  return new URL(address, location.origin);
}

export function Link(props: AnchorHTMLAttributes<HTMLAnchorElement>) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    props.onClick?.(event);
    const elsewhere =
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey;
    if (event.defaultPrevented || elsewhere || !props.href) return;
    event.preventDefault();
    goTo(props.href);
    window.scrollTo(0, 0);
  };
  return <a {...props} onClick={follow} />;
}
