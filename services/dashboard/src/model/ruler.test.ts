import { expect, test } from 'vitest';

import { ticksOf } from './ruler';

const texts = (start: number, length: number) =>
  ticksOf({ start, length }).map(({ text }) => text);

test('a whole run is measured in round steps', () => {
  expect(texts(0, 8200)).toEqual(['0 s', '+2 s', '+4 s', '+6 s']);
  expect(ticksOf({ start: 0, length: 8200 })[2]?.at).toBeCloseTo(4 / 8.2);
  expect(texts(0, 90)).toEqual(['0 s', '+20 ms', '+40 ms', '+60 ms', '+80 ms']);
  expect(texts(0, 15)).toEqual(['0 s', '+5 ms', '+10 ms']);
  expect(texts(0, 2500)).toContain('+1.5 s');
});

test('the beginning is as exact as the steps are', () => {
  expect(texts(7053, 512)[0]).toBe('7.05 s');
  expect(texts(7300.0123, 0.0625)).toEqual(['7.30001 s', '+20 µs', '+40 µs']);
  expect(texts(12.5, 0.001)).toEqual([
    '12.5000 ms',
    '+200 ns',
    '+400 ns',
    '+600 ns',
    '+800 ns',
  ]);
  expect(texts(75_300, 20_000)[0]).toBe('1 min 15 s');
});

test('a trace of one moment has a beginning', () => {
  expect(texts(0, 0)).toEqual(['0 s']);
});
