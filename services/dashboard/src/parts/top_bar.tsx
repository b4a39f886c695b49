import { useState } from 'react';

import { Link } from '../router';
import { candidateClients, useClients } from '../rpc/client';
import { applyTheme, currentTheme, type Theme } from '../theme';

const NEXT: Record<Theme, Theme> = {
  auto: 'light',
  light: 'dark',
  dark: 'auto',
};

export function TopBar() {
  const clients = useClients();
  const home = clients === candidateClients ? '/attempt' : '/';
  const [theme, setTheme] = useState(currentTheme);
  const change = () => {
    applyTheme(NEXT[theme]);
    setTheme(NEXT[theme]);
  };
  return (
    <header className="top-bar">
      <Link href={home} className="brand">
        <img src="/icon.svg" alt="" width="24" height="24" />
        Assay
      </Link>
      <nav aria-label="Account">
        <button type="button" className="quiet" onClick={change}>
          Theme: {theme}
        </button>
        <button
          type="button"
          className="quiet"
          onClick={() => clients.session.signOut()}
        >
          Sign out
        </button>
      </nav>
    </header>
  );
}
