// Who is signed in. Staff have an account, whose session is a cookie that no
// page can read, or a bearer token, as the command line has one. Staff and the
// candidate of one attempt are kept apart, since a reviewer may try a task.

// In the place of a token: the cookie says who this is.
const ACCOUNT = 'account:';

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

  // Something that changes with whoever is signed in; null: nobody.
  readonly who = (): string | null => localStorage.getItem(this.#key);

  token(): string | null {
    const who = this.who();
    return who?.startsWith(ACCOUNT) ? null : who;
  }

  // Whether the cookie is what the server knows them by.
  get byCookie(): boolean {
    return this.who()?.startsWith(ACCOUNT) ?? false;
  }

  signIn(token: string) {
    this.#set(token);
  }

  signInAs(account: string) {
    this.#set(ACCOUNT + account);
  }

  signOut() {
    localStorage.removeItem(this.#key);
    this.#tell();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #set(who: string) {
    localStorage.setItem(this.#key, who);
    this.#tell();
  }

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
