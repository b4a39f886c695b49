import { type ReactNode, useEffect, useState } from 'react';

import { mayPass, sentence } from '../rpc/client';
import type { Loaded } from './use_load';

// Most answers are there before that: a word that only flashes would disturb.
const PATIENCE = 150;

// What stands where an answer is awaited.
export function Loading({ what }: { what: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE);
    return () => clearTimeout(timer);
  }, []);
  return (
    <p className="loading muted" role="status" aria-busy="true">
      {late && `Loading ${what}…`}
    </p>
  );
}

// An answer, or what there is to say as long as there is none.
export function Answer<T>({
  of,
  what,
  children,
}: {
  of: Pick<Loaded<T>, 'value' | 'error'>;
  what: string;
  children: (value: T) => ReactNode;
}) {
  const { value, error } = of;
  return (
    <>
      {error !== null && (
        <p className="notice bad" role="alert">
          {mayPass(error)
            ? 'The server does not answer. It is asked again by itself.'
            : sentence(error)}
        </p>
      )}
      {value !== null ? children(value) : !error && <Loading what={what} />}
    </>
  );
}
