// Who is signed in: a bearer token, as the command line has one. Staff and the
// candidate of one attempt are kept apart, since a reviewer may try a task.

export class Session {
  readonly #key: string;
  readonly #listeners = new Set<() => void>();

  constructor(key: string) {
    this.#key = key;
    if (typeof window === 'undefined') return;
    // Other tabs sign in and out with this one.
    window.addEventListener('storage', (event) => {
      if (event.key === key) this.#tell();
    });
  }

  readonly token = (): string | null => localStorage.getItem(this.#key);

  signIn(token: string) {
    localStorage.setItem(this.#key, token);
    this.#tell();
  }

  signOut() {
    localStorage.removeItem(this.#key);
    this.#tell();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}

export const staff = new Session('assay.token');
export const candidate = new Session('assay.attempt');

// Takes a token from the address (`/#token=…`, as printed by the demo), and
// takes it out of the address, the history and so of any screenshot.
export function takeTokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return;
  history.replaceState(null, '', location.pathname + location.search);
  staff.signIn(token);
}
