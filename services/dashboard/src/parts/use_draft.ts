import { useEffect, useState } from 'react';

const PREFIX = 'assay.draft:';

// For whoever comes after somebody who signs out: what was typed is not theirs.
export function forgetDrafts() {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
  }
}

// A state that outlives the page: what somebody typed is there again after a
// reload, and after signing in anew.
export function useDraft<T>(
  key: string,
  initial: T,
): [
  value: T,
  set: (next: T) => void,
  // What was typed has been used; or `next` takes its place.
  forget: (next?: T) => void,
  // Whether it was typed before this page was opened.
  kept: boolean,
] {
  const whole = PREFIX + key;
  const [value, setValue] = useState<T>(() => {
    const kept = sessionStorage.getItem(whole);
    try {
      return kept === null ? initial : (JSON.parse(kept) as T);
    } catch {
      return initial;
    }
  });
  const [kept, setKept] = useState(
    () => sessionStorage.getItem(whole) !== null,
  );
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
    (next?: T) => {
      setChanged(false);
      setKept(false);
      sessionStorage.removeItem(whole);
      if (next !== undefined) setValue(next);
    },
    kept,
  ];
}
