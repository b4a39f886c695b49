// Keeps a server stream going: connects again after a cut, a restart of the
// server or the machine's sleep, and says when what is shown is stale.

import { Code, ConnectError } from '@connectrpc/connect';

export type Connection =
  | { state: 'connecting' }
  | { state: 'live' }
  // What is shown was true at `since`, in milliseconds since 1970.
  | { state: 'stale'; since: number }
  // The stream has said everything.
  | { state: 'complete' }
  // Trying again would not help.
  | { state: 'failed'; error: unknown };

export interface FollowOptions<T> {
  open: (signal: AbortSignal) => AsyncIterable<T>;
  onMessage: (message: T) => void;
  onConnection: (connection: Connection) => void;
  // Whether a stream that ends without an error is complete; else it is opened
  // again.
  ends: boolean;
  signal: AbortSignal;
  // Replaced in tests.
  pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  now?: () => number;
  // Calls back when the connection may have died without a word: after the
  // machine's sleep, or when the network has gone or come. Answers with what
  // ends the watch.
  onWake?: (callback: () => void) => () => void;
}

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

const FINAL: ReadonlySet<Code> = new Set([
  Code.Unauthenticated,
  Code.PermissionDenied,
  Code.NotFound,
  Code.InvalidArgument,
  Code.Unimplemented,
]);

// Resolves when the stream is complete, has failed for good, or was aborted.
export async function follow<T>(options: FollowOptions<T>): Promise<void> {
  const { signal, onConnection } = options;
  const pause = options.pause ?? pauseOrWake;
  const now = options.now ?? Date.now;
  const onWake = options.onWake ?? watchForSleep;
  let failures = 0;
  let lastHeard: number | null = null;
  onConnection({ state: 'connecting' });
  while (!signal.aborted) {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener('abort', stop);
    // It is opened again below, from where it was.
    const awake = onWake(() => {
      failures = 0;
      attempt.abort();
    });
    try {
      for await (const message of options.open(attempt.signal)) {
        if (signal.aborted) return;
        failures = 0;
        lastHeard = now();
        onConnection({ state: 'live' });
        options.onMessage(message);
      }
      if (signal.aborted) return;
      if (options.ends) {
        onConnection({ state: 'complete' });
        return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (FINAL.has(ConnectError.from(error).code)) {
        onConnection({ state: 'failed', error });
        return;
      }
    } finally {
      awake();
      signal.removeEventListener('abort', stop);
      attempt.abort();
    }
    if (lastHeard !== null) {
      onConnection({ state: 'stale', since: lastHeard });
    }
    await pause(pauseAfter(failures++), signal);
  }
}

// Doubles, with a random part so that many pages do not come back together.
export function pauseAfter(failures: number): number {
  const most = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** failures);
  return most * (0.5 + Math.random() / 2);
}

// Ends early when the network comes back or the page is looked at again.
export function pauseOrWake(
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      document.removeEventListener('visibilitychange', seen);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const seen = () => {
      if (document.visibilityState === 'visible') done();
    };
    const timer = setTimeout(done, milliseconds);
    window.addEventListener('online', done);
    document.addEventListener('visibilitychange', seen);
    signal.addEventListener('abort', done);
  });
}

const TICK = 5_000;
const ASLEEP = 20_000;

// A clock that jumps ahead between two ticks means that nothing ran meanwhile.
function watchForSleep(callback: () => void): () => void {
  let last = Date.now();
  const timer = setInterval(() => {
    const slept = Date.now() - last > ASLEEP;
    last = Date.now();
    if (slept) callback();
  }, TICK);
  window.addEventListener('online', callback);
  window.addEventListener('offline', callback);
  return () => {
    clearInterval(timer);
    window.removeEventListener('online', callback);
    window.removeEventListener('offline', callback);
  };
}
