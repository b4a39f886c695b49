import { useCallback, useEffect, useRef, useState } from 'react';

export interface Window {
  // The ref of the scrolling box, which may come and go.
  box: (element: HTMLDivElement | null) => void;
  // Rows `first` to `end` - 1 are to be drawn.
  first: number;
  end: number;
  scrollTo: (row: number) => void;
}

const SPARE_ROWS = 20;

// Which of `count` rows of equal height a scrolling box shows.
export function useWindow(count: number, rowHeight: number): Window {
  // As a ref for whoever scrolls while the box is being put in place, and as a
  // state for what listens to it.
  const current = useRef<HTMLDivElement>(null);
  const [element, setElement] = useState<HTMLDivElement | null>(null);
  const box = useCallback((next: HTMLDivElement | null) => {
    current.current = next;
    setElement(next);
  }, []);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useEffect(() => {
    if (!element) return;
    const onScroll = () => setTop(element.scrollTop);
    const size = new ResizeObserver(() => setHeight(element.clientHeight));
    element.addEventListener('scroll', onScroll, { passive: true });
    size.observe(element);
    return () => {
      element.removeEventListener('scroll', onScroll);
      size.disconnect();
    };
  }, [element]);
  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE_ROWS);
  const end = Math.ceil((top + height) / rowHeight) + SPARE_ROWS;
  const scrollTo = (row: number) => {
    const scrolled = current.current;
    if (!scrolled) return;
    const at = row * rowHeight;
    const seen = scrolled.clientHeight - rowHeight;
    if (at < scrolled.scrollTop) scrolled.scrollTop = at;
    else if (at > scrolled.scrollTop + seen) scrolled.scrollTop = at - seen;
  };
  return {
    box,
    first: Math.min(first, count),
    end: Math.min(end, count),
    scrollTo,
  };
}
