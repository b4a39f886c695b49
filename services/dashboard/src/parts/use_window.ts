import {
  useCallback,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';

import { TALLEST, TallScroll } from '../model/tall_scroll';
import { endOf, Momentum, scrolls } from './momentum';

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
  const onRest = useEffectEvent(() => look(scroll.rest()));
  const [momentum] = useState(() => new Momentum());
  // Where the box is, unless something leads it away from where it was put.
  const heard = (at: number) =>
    momentum.held ? scroll.stays : scroll.scrolled(at);
  const measure = () => {
    const scrolled = current.current;
    if (!scrolled) return;
    // Of the last step one may not have heard yet.
    heard(scrolled.scrollTop);
    look(scroll.resize(count * rowHeight, scrolled.clientHeight));
  };
  const onScroll = useEffectEvent(() => {
    if (!current.current) return;
    momentum.goOn();
    look(heard(current.current.scrollTop));
  });
  const go = (top: number) => {
    momentum.hold();
    look(scroll.go(top));
  };
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (!scrolls(event)) return;
    const end = scroll.scaled && endOf(event);
    if (!end) return momentum.begin();
    // The browser's way there would be one over millions of pixels.
    event.preventDefault();
    go(end === 'first' ? 0 : Infinity);
  });
  const onResize = useEffectEvent(measure);
  useLayoutEffect(() => onResize(), [element, count, rowHeight]);
  useEffect(() => {
    if (!element) return;
    const unheard = new AbortController();
    const { signal } = unheard;
    const passive = { passive: true, signal };
    const size = new ResizeObserver(() => onResize());
    momentum.listen(() => onRest());
    element.addEventListener('scroll', () => onScroll(), passive);
    element.addEventListener('wheel', () => momentum.begin(), passive);
    element.addEventListener('touchmove', () => momentum.begin(), passive);
    // A thumb was let go of. What keys have begun may go on: to put the box
    // elsewhere would stop it on its way.
    element.addEventListener(
      'scrollend',
      () => {
        if (!momentum.going) onRest();
      },
      { signal },
    );
    // After everybody else: a key may be taken.
    document.addEventListener(
      'keydown',
      (event) => {
        if (element.contains(event.target as Node)) onKey(event);
      },
      { signal },
    );
    size.observe(element);
    return () => {
      unheard.abort();
      momentum.stop();
      size.disconnect();
    };
  }, [element, momentum]);
  const scrollTo = (row: number) => {
    const scrolled = current.current;
    if (!scrolled) return;
    measure();
    const at = row * rowHeight;
    const last = at - (scrolled.clientHeight - rowHeight);
    if (at < scroll.top) go(at);
    else if (last > scroll.top) go(last);
    else momentum.hold();
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
