// Typed clients of assayd, over the Connect protocol on this page's origin.

import {
  Code,
  ConnectError,
  createClient,
  type Interceptor,
} from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { createContext, useContext } from 'react';

import { AssignmentService } from '../gen/assay/v1/assignment_service_pb';
import { AttemptService } from '../gen/assay/v1/attempt_service_pb';
import { DecisionService } from '../gen/assay/v1/decision_service_pb';
import { InvitationService } from '../gen/assay/v1/invitation_service_pb';
import { QuestionService } from '../gen/assay/v1/question_service_pb';
import { RunService } from '../gen/assay/v1/run_service_pb';
import { SourceService } from '../gen/assay/v1/source_service_pb';
import { SubmissionService } from '../gen/assay/v1/submission_service_pb';
import { SystemService } from '../gen/assay/v1/system_service_pb';
import { TraceService } from '../gen/assay/v1/trace_service_pb';
import { candidate, type Session, staff } from './session';

export type Clients = ReturnType<typeof clientsOf>;

function clientsOf(session: Session) {
  const authorize: Interceptor = (next) => async (request) => {
    const token = session.token();
    if (token && !request.header.has('Authorization')) {
      request.header.set('Authorization', `Bearer ${token}`);
    }
    try {
      return await next(request);
    } catch (error) {
      // A token that was revoked meanwhile: asking for another is all there is.
      if (isUnauthenticated(error) && token === session.token()) {
        session.signOut();
      }
      throw error;
    }
  };
  const transport = createConnectTransport({
    baseUrl: typeof location === 'undefined' ? 'http://test' : location.origin,
    interceptors: [authorize],
  });
  return {
    session,
    assignments: createClient(AssignmentService, transport),
    attempts: createClient(AttemptService, transport),
    decisions: createClient(DecisionService, transport),
    invitations: createClient(InvitationService, transport),
    questions: createClient(QuestionService, transport),
    runs: createClient(RunService, transport),
    source: createClient(SourceService, transport),
    submissions: createClient(SubmissionService, transport),
    system: createClient(SystemService, transport),
    traces: createClient(TraceService, transport),
  };
}

export const staffClients = clientsOf(staff);
export const candidateClients = clientsOf(candidate);

export const ClientsContext = createContext(staffClients);

export function useClients(): Clients {
  return useContext(ClientsContext);
}

export function isUnauthenticated(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unauthenticated;
}

// What a person can read of an error: the server's sentence where it sent one.
export function sentence(error: unknown): string {
  if (error instanceof ConnectError) {
    if (error.code === Code.Unavailable || error.code === Code.Unknown) {
      return 'The server does not answer. It is tried again by itself.';
    }
    return error.rawMessage;
  }
  return error instanceof Error ? error.message : String(error);
}
