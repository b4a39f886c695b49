import { expect, test } from 'vitest';

import { parseBars, placeOf } from './load_histogram';

test('bars follow from their ends, four to a power of two', () => {
  expect(parseBars('127:1 1279:40 2047:3')).toEqual([
    { lower: 0.096, upper: 0.128, count: 1 },
    { lower: 1.024, upper: 1.28, count: 40 },
    { lower: 1.792, upper: 2.048, count: 3 },
  ]);
});

test('what somebody else wrote there has no bars', () => {
  for (const text of ['', 'x', '1:2 <b>', '1:2 3', '-1:2', '9'.repeat(20)]) {
    expect(parseBars(text)).toEqual([]);
  }
});

test('a latency stands in its bar', () => {
  const bars = parseBars('1279:40 2047:3');
  expect(placeOf(bars, 1.152)).toBeCloseTo(0.25);
  expect(placeOf(bars, 1.92)).toBeCloseTo(0.75);
  expect(placeOf(bars, 100)).toBe(1);
  expect(placeOf(bars, 0)).toBe(0);
});
