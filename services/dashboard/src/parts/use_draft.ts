import { useEffect, useState } from 'react';

// A state that outlives the page: what somebody typed is there again after a
// reload, and after signing in anew.
export function useDraft<T>(
  key: string,
  initial: T,
): [T, (next: T) => void, () => void] {
  const whole = `assay.draft:${key}`;
  const [value, setValue] = useState<T>(() => {
    const kept = sessionStorage.getItem(whole);
    try {
      return kept === null ? initial : (JSON.parse(kept) as T);
    } catch {
      return initial;
    }
  });
  const [changed, setChanged] = useState(false);
  useEffect(() => {
    if (!changed) return;
    try {
      sessionStorage.setItem(whole, JSON.stringify(value));
    } catch {
      // Too large to keep: it stays as long as the page does.
    }
  }, [changed, value, whole]);
  return [
    value,
    (next) => {
      setChanged(true);
      setValue(next);
    },
    () => {
      setChanged(false);
      sessionStorage.removeItem(whole);
    },
  ];
}
