import { useState } from 'react';

import type { Attempt } from '../gen/assay/v1/attempt_pb';
import { millis } from '../model/format';
import { useClients } from '../rpc/client';
import type { Connection } from '../rpc/follow';
import { useFollow } from './use_follow';

export interface LiveAttempt {
  attempt: Attempt | null;
  // To be added to this machine's clock for the server's, in milliseconds.
  offset: number;
  // Grows with each change.
  version: number;
  connection: Connection;
}

// Follows one attempt: what the server says of it, at once and at each change.
export function useAttempt(name: string, onChange: () => void): LiveAttempt {
  const { attempts } = useClients();
  const [live, setLive] = useState({
    attempt: null as Attempt | null,
    offset: 0,
    version: 0,
  });
  const connection = useFollow({
    open: (signal) => attempts.watchAttempt({ name }, { signal }),
    onMessage: ({ attempt, serverTime }) => {
      const at = millis(serverTime);
      setLive((before) => ({
        attempt: attempt ?? before.attempt,
        offset: at === null ? before.offset : at - Date.now(),
        version: before.version + 1,
      }));
      onChange();
    },
    ends: false,
  });
  return { ...live, connection };
}
