import { useEffect, useRef, useSyncExternalStore } from 'react';

import { AssignmentPage } from './pages/assignment';
import { HomePage } from './pages/home';
import { NotFoundPage } from './pages/not_found';
import { RunPage } from './pages/run';
import { SignInPage } from './pages/sign_in';
import { TopBar } from './parts/top_bar';
import { useAddress } from './router';
import { session } from './rpc/session';

export function App() {
  const token = useSyncExternalStore(session.subscribe, () => session.token());
  const { pathname } = useAddress();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);

  // A new page starts where a keyboard and a screen reader expect it.
  useEffect(() => {
    if (shown.current !== pathname) main.current?.focus();
    shown.current = pathname;
  }, [pathname]);

  if (!token) return <SignInPage />;
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <TopBar />
      {/* The key starts each page, and each person, with nothing from before. */}
      <main id="main" ref={main} tabIndex={-1} key={token + pathname}>
        <Page path={pathname} />
      </main>
    </>
  );
}

function Page({ path }: { path: string }) {
  const [, noun, id, more] = path.split('/');
  if (path === '/') return <HomePage />;
  if (id && more === undefined) {
    const name = `${noun}/${decodeURIComponent(id)}`;
    if (noun === 'runs') return <RunPage name={name} />;
    if (noun === 'assignments') return <AssignmentPage name={name} />;
  }
  return <NotFoundPage />;
}
