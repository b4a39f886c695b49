import { useState } from 'react';

import { cleanText } from '../model/clean_text';
import { roleText } from '../model/role';
import { Link } from '../router';
import { candidateClients, signOut, useClients } from '../rpc/client';
import { applyTheme, currentTheme, type Theme } from '../theme';
import { useSelf } from './self';
import { forgetDrafts } from './use_draft';

const NEXT: Record<Theme, Theme> = {
  auto: 'light',
  light: 'dark',
  dark: 'auto',
};

export function TopBar() {
  const clients = useClients();
  const home = clients === candidateClients ? '/attempt' : '/';
  const self = useSelf();
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
        {self?.label && (
          <Link href="/account" className="self">
            {cleanText(self.account?.displayName || self.label)}
            <span className="muted"> {roleText(self.role)}</span>
          </Link>
        )}
        <button type="button" className="quiet" onClick={change}>
          Theme: {theme}
        </button>
        <button
          type="button"
          className="quiet"
          onClick={() => {
            forgetDrafts();
            void signOut(clients);
          }}
        >
          Sign out
        </button>
      </nav>
    </header>
  );
}
