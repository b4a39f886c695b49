// Who is signed in: a bearer token, as the command line has one.

const KEY = 'assay.token';
const listeners = new Set<() => void>();

export const session = {
  token(): string | null {
    return localStorage.getItem(KEY);
  },
  signIn(token: string) {
    localStorage.setItem(KEY, token);
    tell();
  },
  signOut() {
    localStorage.removeItem(KEY);
    tell();
  },
  subscribe(this: void, listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

function tell() {
  for (const listener of listeners) listener();
}

// Other tabs sign in and out with this one.
if (typeof window !== 'undefined') {
  window.addEventListener('storage', (event) => {
    if (event.key === KEY) tell();
  });
}

// Takes a token from the address (`/#token=…`, as printed by the demo), and
// takes it out of the address, the history and so of any screenshot.
export function takeTokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return;
  history.replaceState(null, '', location.pathname + location.search);
  session.signIn(token);
}
