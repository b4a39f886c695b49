import { useRef, useState } from 'react';

import type { Candidate } from '../gen/assay/v1/overview_service_pb';
import { useClients } from '../rpc/client';
import { pauseOrWake } from '../rpc/follow';
import { type Loaded, useLoad } from './use_load';

// A long list is read again no more often than this part of the time allows.
const SHARE = 4;

export interface Candidates extends Loaded<readonly Candidate[]> {
  // There are more, still on their way.
  partial: boolean;
}

// Reads all candidates of an assignment page by page. The first read shows what
// is there; a later one shows nothing before it is complete.
export function useCandidates(assignment: string, key: unknown): Candidates {
  const { overview } = useClients();
  const [first, setFirst] = useState<readonly Candidate[] | null>(null);
  const took = useRef(0);
  const { value, error, reload } = useLoad<readonly Candidate[]>(
    async (signal) => {
      const again = took.current > 0;
      if (again) await pauseOrWake(took.current * (SHARE - 1), signal);
      const began = performance.now();
      const all: Candidate[] = [];
      let pageToken = '';
      do {
        const page = await overview.listCandidates(
          { assignment, pageSize: 500, pageToken },
          { signal },
        );
        all.push(...page.candidates);
        pageToken = page.nextPageToken;
        if (!again) setFirst([...all]);
      } while (pageToken);
      took.current = performance.now() - began;
      return all;
    },
    key,
  );
  return { value: value ?? first, partial: value === null, error, reload };
}
