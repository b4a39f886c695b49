import { createContext, type ReactNode, useContext } from 'react';

import type { GetSelfResponse } from '../gen/assay/v1/account_service_pb';
import { candidateClients, useClients } from '../rpc/client';
import { useLoad } from './use_load';

const SelfContext = createContext<GetSelfResponse | null>(null);

// Asks once who is signed in; candidates are whoever has the link.
export function SelfProvider({ children }: { children: ReactNode }) {
  const clients = useClients();
  const { value } = useLoad((signal) =>
    clients === candidateClients
      ? Promise.resolve(null)
      : clients.accounts.getSelf({}, { signal }),
  );
  return <SelfContext value={value}>{children}</SelfContext>;
}

// Null until the answer is there, and for candidates.
export function useSelf(): GetSelfResponse | null {
  return useContext(SelfContext);
}
