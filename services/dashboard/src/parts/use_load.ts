import {
  useCallback,
  useEffect,
  useEffectEvent,
  useRef,
  useState,
} from 'react';

export interface Loaded<T> {
  value: T | null;
  error: unknown;
  // Loads again; what is shown stays until the answer is there.
  reload: () => void;
}

// Asks once, and again on `reload` and when `key` changes; the latest
// question's answer wins.
export function useLoad<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  key: unknown = null,
): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  const asking = useRef<AbortController | null>(null);
  const load = useEffectEvent(async () => {
    asking.current?.abort();
    const mine = (asking.current = new AbortController());
    try {
      const answer = await ask(mine.signal);
      if (mine.signal.aborted) return;
      setValue(answer);
      setError(null);
    } catch (failure) {
      if (!mine.signal.aborted) setError(failure);
    }
  });
  useEffect(() => {
    void load();
    return () => asking.current?.abort();
  }, [turn, key]);
  const reload = useCallback(() => setTurn((now) => now + 1), []);
  return { value, error, reload };
}
