import { useEffect, useRef, useState } from 'react';

import type { Candidate } from '../gen/assay/v1/overview_service_pb';
import { useClients } from '../rpc/client';

export interface Candidates {
  list: readonly Candidate[] | null;
  partial: boolean;
  error: unknown;
  reload: () => void;
}

// Reads all candidates of an assignment page by page. The first read shows what
// is there; a later one shows nothing before it is complete.
export function useCandidates(assignment: string, key: unknown): Candidates {
  const { overview } = useClients();
  const [list, setList] = useState<readonly Candidate[] | null>(null);
  const [partial, setPartial] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  const complete = useRef(false);
  useEffect(() => {
    const stop = new AbortController();
    const read = async () => {
      const all: Candidate[] = [];
      let pageToken = '';
      do {
        const page = await overview.listCandidates(
          { assignment, pageSize: 500, pageToken },
          { signal: stop.signal },
        );
        all.push(...page.candidates);
        pageToken = page.nextPageToken;
        if (!complete.current) setList([...all]);
      } while (pageToken);
      complete.current = true;
      setList(all);
      setPartial(false);
      setError(null);
    };
    read().catch((failure: unknown) => {
      if (!stop.signal.aborted) setError(failure);
    });
    return () => stop.abort();
  }, [assignment, overview, turn, key]);
  return { list, partial, error, reload: () => setTurn((n) => n + 1) };
}
