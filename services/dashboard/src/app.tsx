import { useEffect, useRef, useSyncExternalStore } from 'react';

import { AssignmentPage } from './pages/assignment';
import { AttemptPage } from './pages/attempt';
import { AttemptReviewPage } from './pages/attempt_review';
import { HomePage } from './pages/home';
import { InvitationPage } from './pages/invitation';
import { NotFoundPage } from './pages/not_found';
import { RunPage } from './pages/run';
import { SignInPage } from './pages/sign_in';
import { TopBar } from './parts/top_bar';
import { useAddress } from './router';
import { candidateClients, ClientsContext, staffClients } from './rpc/client';
import { candidate, staff } from './rpc/session';

// Candidates have pages of their own, by the link of their invitation. The
// address of a run, as a push prints it, is for whoever is signed in.
function clientsFor(path: string) {
  if (path === '/invitation' || /^\/attempt(\/|$)/.test(path)) {
    return candidateClients;
  }
  const candidateOnly = !staff.token() && candidate.token();
  return path.startsWith('/runs/') && candidateOnly
    ? candidateClients
    : staffClients;
}

export function App() {
  const { pathname } = useAddress();
  const clients = clientsFor(pathname);
  const { session } = clients;
  const token = useSyncExternalStore(session.subscribe, session.token);
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);

  // A new page starts where a keyboard and a screen reader expect it.
  useEffect(() => {
    if (shown.current !== pathname) main.current?.focus();
    shown.current = pathname;
  }, [pathname]);

  if (clients === staffClients && !token) return <SignInPage />;
  return (
    <ClientsContext value={clients}>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <TopBar />
      {/* The key starts each page, and each person, with nothing from before. */}
      <main id="main" ref={main} tabIndex={-1} key={token + pathname}>
        <Page path={pathname} />
      </main>
    </ClientsContext>
  );
}

function Page({ path }: { path: string }) {
  const [noun, id, more, rest] = path.slice(1).split('/');
  if (path === '/') return <HomePage />;
  if (path === '/invitation') return <InvitationPage />;
  if (path === '/attempt') return <AttemptPage />;
  if (noun === 'attempt' && id === 'runs' && more && rest === undefined) {
    return <RunPage name={`runs/${decodeURIComponent(more)}`} />;
  }
  if (id && more === undefined) {
    const name = `${noun}/${decodeURIComponent(id)}`;
    if (noun === 'runs') return <RunPage name={name} />;
    if (noun === 'attempts') return <AttemptReviewPage name={name} />;
    if (noun === 'assignments') return <AssignmentPage name={name} />;
  }
  return <NotFoundPage />;
}
