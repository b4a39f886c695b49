import { useCallback, useEffect, useEffectEvent, useRef } from 'react';

// A function that runs `act` at once, and then at most once in `wait`
// milliseconds: what a busy server tells of is read again no more often.
export function useSoon(act: () => void, wait = 1000): () => void {
  const timer = useRef<number | null>(null);
  const again = useRef(false);
  const run = useEffectEvent(act);
  const start = useRef<() => void>(() => undefined);
  useEffect(() => {
    start.current = () => {
      if (timer.current !== null) {
        again.current = true;
        return;
      }
      run();
      timer.current = window.setTimeout(() => {
        timer.current = null;
        if (!again.current) return;
        again.current = false;
        start.current();
      }, wait);
    };
    return () => {
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = null;
    };
  }, [wait]);
  return useCallback(() => start.current(), []);
}
