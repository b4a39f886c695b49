import {
  lazy,
  type ReactNode,
  Suspense,
  useEffect,
  useRef,
  useSyncExternalStore,
} from 'react';

import { Role } from './gen/assay/v1/access_pb';
import { AccountPage } from './pages/account';
import { AssignmentPage } from './pages/assignment';
import { AttemptPage } from './pages/attempt';
import { AttemptReviewPage } from './pages/attempt_review';
import { HomePage } from './pages/home';
import { InvitationPage } from './pages/invitation';
import { NotFoundPage } from './pages/not_found';
import { RunPage } from './pages/run';
import { SignInPage } from './pages/sign_in';
import { Empty } from './parts/empty';
import { Loading } from './parts/loading';
import { Mishap } from './parts/mishap';
import { Palette } from './parts/palette';
import { SelfProvider, useSelf } from './parts/self';
import { TopBar } from './parts/top_bar';
import { useAddress } from './router';
import { candidateClients, ClientsContext, staffClients } from './rpc/client';
import { candidate, staff } from './rpc/session';

// Few people write assignments: they load what that takes.
const Editor = lazy(() => import('./pages/assignment_editor'));

// Candidates have pages of their own, by the link of their invitation. The
// address of a run, as a push prints it, is for whoever is signed in.
function clientsFor(path: string) {
  if (path === '/invitation' || /^\/attempt(\/|$)/.test(path)) {
    return candidateClients;
  }
  const candidateOnly = !staff.who() && candidate.who();
  return path.startsWith('/runs/') && candidateOnly
    ? candidateClients
    : staffClients;
}

export function App() {
  const { pathname } = useAddress();
  const clients = clientsFor(pathname);
  const { session } = clients;
  const who = useSyncExternalStore(session.subscribe, session.who);
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);

  // A new page starts where a keyboard and a screen reader expect it.
  useEffect(() => {
    if (shown.current !== pathname) main.current?.focus();
    shown.current = pathname;
  }, [pathname]);

  if (clients === staffClients && !who) return <SignInPage />;
  return (
    <ClientsContext value={clients}>
      <SelfProvider key={who}>
        <a className="skip" href="#main">
          Skip to the content
        </a>
        <TopBar />
        {clients === staffClients && <Palette />}
        {/* The key starts each page, and each person, with nothing from before. */}
        <main id="main" ref={main} tabIndex={-1} key={who + pathname}>
          <Mishap>
            <Page path={pathname} />
          </Mishap>
        </main>
      </SelfProvider>
    </ClientsContext>
  );
}

function EditorPage({ name }: { name?: string }) {
  return (
    <Suspense fallback={<Loading what="editor" />}>
      <Editor name={name} />
    </Suspense>
  );
}

// A page of one person's work.
function Single({ page }: { page: ReactNode }) {
  const self = useSelf();
  if (self?.role !== Role.OBSERVER) return page;
  return (
    <Empty title="Observers see numbers">
      <p>
        Single attempts and runs are for authors and reviewers. What they come
        to stands on the page of each assignment.
      </p>
    </Empty>
  );
}

function Page({ path }: { path: string }) {
  const [noun, id, more, rest] = path.slice(1).split('/');
  if (path === '/') return <HomePage />;
  if (path === '/invitation') return <InvitationPage />;
  if (path === '/attempt') return <AttemptPage />;
  if (path === '/account') return <AccountPage />;
  if (path === '/new') return <EditorPage />;
  if (noun === 'attempt' && id === 'runs' && more && rest === undefined) {
    return <RunPage name={`runs/${decodeURIComponent(more)}`} />;
  }
  if (id && more === undefined) {
    const name = `${noun}/${decodeURIComponent(id)}`;
    if (noun === 'runs') return <Single page={<RunPage name={name} />} />;
    if (noun === 'attempts') {
      return <Single page={<AttemptReviewPage name={name} />} />;
    }
    if (noun === 'assignments') return <AssignmentPage name={name} />;
  }
  if (noun === 'assignments' && id && more === 'edit' && rest === undefined) {
    return <EditorPage name={`assignments/${decodeURIComponent(id)}`} />;
  }
  return <NotFoundPage />;
}
