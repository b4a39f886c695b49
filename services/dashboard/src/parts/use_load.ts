import {
  useCallback,
  useEffect,
  useEffectEvent,
  useRef,
  useState,
} from 'react';

import { mayPass } from '../rpc/client';
import { pauseAfter, pauseOrWake } from '../rpc/follow';

export interface Loaded<T> {
  value: T | null;
  // Why the last answer did not come; null once one came.
  error: unknown;
  // Loads again; what is shown stays until the answer is there.
  reload: () => void;
}

// Asks once, and again on `reload` and when `key` changes. A question that is
// under way is never cut short by the next, which waits for it: a slow server
// answers a busy page all the same. A server that does not answer is asked
// again by itself.
export function useLoad<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  key: unknown = null,
): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  const asking = useRef<AbortController | null>(null);
  // Something may have changed since the question that is under way.
  const again = useRef(false);
  const pausing = useRef<AbortController | null>(null);

  const askNow = useEffectEvent(ask);
  const load = useEffectEvent(async () => {
    again.current = true;
    pausing.current?.abort();
    if (asking.current) return;
    const { signal } = (asking.current = new AbortController());
    let failures = 0;
    while (again.current && !signal.aborted) {
      again.current = false;
      try {
        const answer = await askNow(signal);
        if (signal.aborted) return;
        failures = 0;
        setValue(answer);
        setError(null);
      } catch (failure) {
        if (signal.aborted) return;
        setError(failure);
        if (!mayPass(failure)) continue;
        again.current = true;
        pausing.current = new AbortController();
        const ends = AbortSignal.any([signal, pausing.current.signal]);
        await pauseOrWake(pauseAfter(failures++), ends);
        pausing.current = null;
      }
    }
    if (!signal.aborted) asking.current = null;
  });
  useEffect(() => void load(), [turn, key]);
  useEffect(
    () => () => {
      asking.current?.abort();
      asking.current = null;
    },
    [],
  );
  const reload = useCallback(() => setTurn((now) => now + 1), []);
  return { value, error, reload };
}
