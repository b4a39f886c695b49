import {
  useCallback,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';

import { TALLEST, TallScroll } from '../model/tall_scroll';

export interface Window {
  // The ref of the scrolling box, which may come and go.
  box: (element: HTMLDivElement | null) => void;
  // Rows `first` to `end` - 1 are to be drawn, which are `size` at most: whatever
  // draws row N may draw row N + `size` once that one is seen instead.
  first: number;
  end: number;
  size: number;
  // How high that is which is scrolled over, and where in it row `first` is to
  // be drawn: more rows than fit into an element are drawn where the box is.
  height: number;
  offset: number;
  scrollTo: (row: number) => void;
  // Pixels below what is seen.
  left: () => number;
}

// Rows beyond those in sight, and how many come and go at once.
const SPARE_ROWS = 8;
const TOGETHER = 4;

interface Seen {
  first: number;
  end: number;
  size: number;
  shift: number;
}

const AT_FIRST: Seen = { first: 0, end: 40, size: 40, shift: 0 };

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
  const [scroll] = useState(() => new TallScroll());
  const [seen, setSeen] = useState(AT_FIRST);

  // Scrolls the box to where it is to stand, and draws what is seen there.
  const look = (at: number) => {
    const scrolled = current.current;
    if (!scrolled) return;
    if (scrolled.scrollTop !== at) scrolled.scrollTop = at;
    const { top, shift } = scroll;
    const from = Math.floor(top / rowHeight / TOGETHER) * TOGETHER - SPARE_ROWS;
    const inSight = Math.ceil(scrolled.clientHeight / rowHeight / TOGETHER) + 1;
    const size = inSight * TOGETHER + 2 * SPARE_ROWS;
    const [first, end] = [Math.max(0, from), from + size];
    setSeen((now) =>
      now.first === first &&
      now.end === end &&
      now.size === size &&
      now.shift === shift
        ? now
        : { first, end, size, shift },
    );
  };
  const measure = () => {
    const scrolled = current.current;
    if (!scrolled) return;
    // Of the last step one may not have heard yet.
    scroll.scrolled(scrolled.scrollTop);
    look(scroll.resize(count * rowHeight, scrolled.clientHeight));
  };
  const onScroll = useEffectEvent(() => {
    if (current.current) look(scroll.scrolled(current.current.scrollTop));
  });
  const onRest = useEffectEvent(() => look(scroll.rest()));
  const onResize = useEffectEvent(measure);
  useLayoutEffect(() => onResize(), [element, count, rowHeight]);
  useEffect(() => {
    if (!element) return;
    const scrolls = () => onScroll();
    const rests = () => onRest();
    const size = new ResizeObserver(() => onResize());
    element.addEventListener('scroll', scrolls, { passive: true });
    element.addEventListener('scrollend', rests);
    size.observe(element);
    return () => {
      element.removeEventListener('scroll', scrolls);
      element.removeEventListener('scrollend', rests);
      size.disconnect();
    };
  }, [element]);
  const scrollTo = (row: number) => {
    const scrolled = current.current;
    if (!scrolled) return;
    measure();
    const at = row * rowHeight;
    const last = at - (scrolled.clientHeight - rowHeight);
    if (at < scroll.top) look(scroll.go(at));
    else if (last > scroll.top) look(scroll.go(last));
  };
  const first = Math.min(seen.first, count);
  return {
    box,
    first,
    end: Math.min(seen.end, count),
    size: seen.size,
    height: Math.min(count * rowHeight, TALLEST),
    offset: first * rowHeight - seen.shift,
    scrollTo,
    left: () => scroll.left,
  };
}
