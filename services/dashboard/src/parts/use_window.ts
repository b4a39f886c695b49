import { type RefObject, useEffect, useRef, useState } from 'react';

export interface Window {
  box: RefObject<HTMLDivElement | null>;
  // Rows `first` to `end` - 1 are to be drawn.
  first: number;
  end: number;
  scrollTo: (row: number) => void;
}

const SPARE_ROWS = 20;

// Which of `count` rows of equal height a scrolling box shows.
export function useWindow(count: number, rowHeight: number): Window {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const onScroll = () => setTop(element.scrollTop);
    const size = new ResizeObserver(() => setHeight(element.clientHeight));
    element.addEventListener('scroll', onScroll, { passive: true });
    size.observe(element);
    return () => {
      element.removeEventListener('scroll', onScroll);
      size.disconnect();
    };
  }, []);
  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE_ROWS);
  const end = Math.ceil((top + height) / rowHeight) + SPARE_ROWS;
  const scrollTo = (row: number) => {
    const element = box.current;
    if (!element) return;
    const at = row * rowHeight;
    const seen = element.clientHeight - rowHeight;
    if (at < element.scrollTop) element.scrollTop = at;
    else if (at > element.scrollTop + seen) element.scrollTop = at - seen;
  };
  return {
    box,
    first: Math.min(first, count),
    end: Math.min(end, count),
    scrollTo,
  };
}
