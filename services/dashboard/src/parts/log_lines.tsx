import {
  type MouseEvent,
  type ReactNode,
  type SyntheticEvent,
  useEffectEvent,
  useLayoutEffect,
} from 'react';

import type { LogStream } from '../model/log_stream';
import { goTo } from '../router';
import { useWindow } from './use_window';

const ROW = 19;
const UPWARDS = ['ArrowUp', 'PageUp', 'Home'];

interface Props {
  log: LogStream;
  count: number;
  query: string;
  // The line to scroll to when it changes, from 0; -1 for none.
  shown: number;
  // The line that the address names; -1 for none.
  marked: number;
  following: boolean;
  onFollow: (following: boolean) => void;
  addressOf: (line: number) => string;
}

// Draws only the lines that are in sight: an output may have a million.
export function LogLines(props: Props) {
  const { log, count, query, shown, marked, following, onFollow } = props;
  const { box, first, end, height, offset, scrollTo, left } = useWindow(
    count,
    ROW,
  );
  const toEnd = useEffectEvent(() => scrollTo(count - 1));
  useLayoutEffect(() => {
    if (following) toEnd();
  }, [count, following]);
  const reachable = shown >= 0 && shown < count;
  const toShown = useEffectEvent(() => {
    // With some lines around it, for what led there.
    scrollTo(Math.min(count - 1, shown + 5));
    scrollTo(Math.max(0, shown - 5));
  });
  useLayoutEffect(() => {
    if (reachable) toShown();
  }, [shown, reachable]);
  const onScroll = () => {
    if (following && left() > 2 * ROW) onFollow(false);
  };
  // Scrolling up is how people say that they want to read. What is written
  // meanwhile would lead back before it was seen to have begun.
  const onUpwards = ({ currentTarget }: SyntheticEvent) => {
    if (following && currentTarget.scrollTop > 0) onFollow(false);
  };
  const lines = [];
  for (let i = first; i < end; i++) {
    lines.push(
      <div
        className={
          i === marked
            ? 'log-line marked'
            : i === shown
              ? 'log-line at'
              : 'log-line'
        }
        key={i}
      >
        <a
          className="line-number"
          href={props.addressOf(i)}
          tabIndex={-1}
          aria-label={`Line ${i + 1}`}
          onClick={markInPlace}
        >
          {i + 1}
        </a>
        {log.pieces(i).map((piece, at) => (
          <span key={at} className={piece.style || undefined}>
            {highlighted(piece.text, query)}
          </span>
        ))}
      </div>,
    );
  }
  return (
    <div
      className="log"
      ref={box}
      onScroll={onScroll}
      onWheel={(event) => event.deltaY < 0 && onUpwards(event)}
      onKeyDown={(event) => UPWARDS.includes(event.key) && onUpwards(event)}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label="Output"
    >
      <div className="log-lines" style={{ height }}>
        <div style={{ transform: `translateY(${offset}px)` }}>{lines}</div>
      </div>
    </div>
  );
}

// The page stays where it is, unless another tab or window was asked for.
function markInPlace(event: MouseEvent<HTMLAnchorElement>) {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  goTo(event.currentTarget.href, 'replace');
}

function highlighted(text: string, query: string): ReactNode {
  if (!query) return text;
  const exact = query !== query.toLowerCase();
  const where = exact ? text : text.toLowerCase();
  const parts: ReactNode[] = [];
  let from = 0;
  for (
    let at = where.indexOf(query);
    at >= 0;
    at = where.indexOf(query, from)
  ) {
    parts.push(
      text.slice(from, at),
      <mark key={at}>{text.slice(at, at + query.length)}</mark>,
    );
    from = at + query.length;
  }
  parts.push(text.slice(from));
  return parts;
}
