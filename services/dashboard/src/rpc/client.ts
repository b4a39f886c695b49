// Typed clients of assayd, over the Connect protocol on this page's origin.

import {
  Code,
  ConnectError,
  createClient,
  type Interceptor,
} from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { createContext, useContext } from 'react';

import { AccountService } from '../gen/assay/v1/account_service_pb';
import { AssignmentService } from '../gen/assay/v1/assignment_service_pb';
import { AttemptService } from '../gen/assay/v1/attempt_service_pb';
import { DecisionService } from '../gen/assay/v1/decision_service_pb';
import { InvitationService } from '../gen/assay/v1/invitation_service_pb';
import { OverviewService } from '../gen/assay/v1/overview_service_pb';
import { QuestionService } from '../gen/assay/v1/question_service_pb';
import { RunService } from '../gen/assay/v1/run_service_pb';
import { SourceService } from '../gen/assay/v1/source_service_pb';
import { SubmissionService } from '../gen/assay/v1/submission_service_pb';
import { SuiteService } from '../gen/assay/v1/suite_service_pb';
import { SystemService } from '../gen/assay/v1/system_service_pb';
import { TraceService } from '../gen/assay/v1/trace_service_pb';
import { WorkerService } from '../gen/assay/v1/worker_service_pb';
import { candidate, type Session, staff } from './session';

export type Clients = ReturnType<typeof clientsOf>;

function clientsOf(session: Session) {
  const authorize: Interceptor = (next) => async (request) => {
    const who = session.who();
    const token = session.token();
    if (token && !request.header.has('Authorization')) {
      request.header.set('Authorization', `Bearer ${token}`);
    }
    try {
      return await next(request);
    } catch (error) {
      // A session or token that ended meanwhile: asking for another is all
      // there is. A wrong password at the sign-in page is no such thing.
      if (isUnauthenticated(error) && who !== null && who === session.who()) {
        session.signOut();
      }
      throw error;
    }
  };
  const options = {
    baseUrl: typeof location === 'undefined' ? 'http://test' : location.origin,
    interceptors: [authorize],
  };
  const transport = createConnectTransport(options);
  // Tens of thousands of spans come in half the bytes, and are read faster.
  const binary = createConnectTransport({ ...options, useBinaryFormat: true });
  return {
    session,
    accounts: createClient(AccountService, transport),
    assignments: createClient(AssignmentService, transport),
    attempts: createClient(AttemptService, transport),
    decisions: createClient(DecisionService, transport),
    invitations: createClient(InvitationService, transport),
    overview: createClient(OverviewService, transport),
    questions: createClient(QuestionService, transport),
    runs: createClient(RunService, transport),
    source: createClient(SourceService, transport),
    submissions: createClient(SubmissionService, transport),
    suites: createClient(SuiteService, transport),
    system: createClient(SystemService, transport),
    traces: createClient(TraceService, binary),
    workers: createClient(WorkerService, transport),
  };
}

export const staffClients = clientsOf(staff);
export const candidateClients = clientsOf(candidate);

// Ends the session here and at the server.
export async function signOut({ session, accounts }: Clients): Promise<void> {
  if (session.byCookie) {
    // Without a connection the page is left all the same; the server ends the
    // session when it has rested long enough.
    await accounts.signOut({}).catch(() => undefined);
  }
  session.signOut();
}

export const ClientsContext = createContext(staffClients);

export function useClients(): Clients {
  return useContext(ClientsContext);
}

export function isUnauthenticated(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unauthenticated;
}

// Whether the same question may be answered later: nobody was there.
export function mayPass(error: unknown): boolean {
  return (
    error instanceof ConnectError &&
    (error.code === Code.Unavailable || error.code === Code.Unknown)
  );
}

// What a person can read of an error: the server's sentence where it sent one.
export function sentence(error: unknown): string {
  if (error instanceof ConnectError) {
    if (mayPass(error)) {
      return 'The server does not answer. Try again in a moment.';
    }
    return error.rawMessage;
  }
  return error instanceof Error ? error.message : String(error);
}
