import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';

import { type Connection, follow } from './follow';

type Turn = { messages: number[]; error?: unknown };

// Plays one turn after the other, and tells what follow made of them.
async function play(turns: Turn[], ends: boolean) {
  const stop = new AbortController();
  const seen: number[] = [];
  const states: Connection['state'][] = [];
  const pauses: number[] = [];
  let opened = 0;
  await follow<number>({
    // eslint-disable-next-line @typescript-eslint/require-await
    open: async function* () {
      const turn = turns[opened++];
      if (!turn) {
        stop.abort();
        return;
      }
      yield* turn.messages;
      if (turn.error) throw turn.error as Error;
    },
    onMessage: (message) => seen.push(message),
    onConnection: (connection) => states.push(connection.state),
    ends,
    signal: stop.signal,
    pause: (milliseconds) => {
      pauses.push(milliseconds);
      return Promise.resolve();
    },
    now: () => 1,
    onWake: () => () => undefined,
  });
  return { seen, states, pauses };
}

const cut = new ConnectError('cut', Code.Unavailable);

test('a cut stream is opened again, and stale meanwhile', async () => {
  const { seen, states } = await play(
    [{ messages: [1, 2], error: cut }, { messages: [3] }],
    true,
  );
  expect(seen).toEqual([1, 2, 3]);
  expect(states).toEqual([
    'connecting',
    'live',
    'live',
    'stale',
    'live',
    'complete',
  ]);
});

test('nothing is called stale before there was something', async () => {
  const { states } = await play(
    [{ messages: [], error: cut }, { messages: [1] }],
    true,
  );
  expect(states).not.toContain('stale');
});

test('an answer that will not change ends it', async () => {
  const gone = new ConnectError('no such run', Code.NotFound);
  const { states, pauses } = await play([{ messages: [], error: gone }], true);
  expect(states).toEqual(['connecting', 'failed']);
  expect(pauses).toEqual([]);
});

test('a stream without an end is opened again when it ends', async () => {
  const { seen } = await play([{ messages: [1] }, { messages: [2] }], false);
  expect(seen).toEqual([1, 2]);
});

test('pauses grow up to ten seconds and start anew after a message', async () => {
  const failing = Array.from({ length: 8 }, () => ({
    messages: [],
    error: cut,
  }));
  const turns = [...failing, { messages: [1], error: cut }];
  const { pauses } = await play(turns, false);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(10_000);
  expect(pauses[7]).toBeGreaterThan(4_000);
  expect(pauses[8]).toBeLessThanOrEqual(500);
});

test('after a sleep the stream is opened anew, and goes on', async () => {
  const stop = new AbortController();
  let wake = () => {};
  const states: Connection['state'][] = [];
  let opened = 0;
  const following = follow<number>({
    open: async function* (signal) {
      if (++opened === 2) {
        stop.abort();
        return;
      }
      yield 1;
      // A connection that is dead says nothing, not even that.
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(new Error('aborted'))),
      );
    },
    onMessage: () => wake(),
    onConnection: (connection) => states.push(connection.state),
    ends: false,
    signal: stop.signal,
    pause: () => Promise.resolve(),
    onWake: (callback) => {
      wake = () => setTimeout(callback);
      return () => undefined;
    },
  });
  await following;
  expect(opened).toBe(2);
  expect(states).toEqual(['connecting', 'live', 'stale']);
});
