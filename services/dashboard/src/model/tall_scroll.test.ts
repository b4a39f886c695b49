import { expect, test } from 'vitest';

import { TALLEST, TallScroll } from './tall_scroll';

const VIEW = 500;
const LINE = 19;

// A box as browsers have it: it scrolls no further than it is high.
class Box {
  readonly scroll = new TallScroll();
  at = 0;

  constructor(total: number) {
    this.at = this.scroll.resize(total, VIEW);
  }

  // As a wheel, a key or a thumb does.
  by(pixels: number) {
    const end = this.scroll.height - VIEW;
    const at = Math.min(end, Math.max(0, this.at + pixels));
    this.at = this.scroll.scrolled(at);
  }

  to(share: number) {
    this.by(share * (this.scroll.height - VIEW) - this.at);
  }
}

test('a short list is scrolled as any other', () => {
  const box = new Box(100_000);
  box.by(1234);
  expect([box.scroll.top, box.scroll.shift, box.at]).toEqual([1234, 0, 1234]);
  expect(box.scroll.left).toBe(100_000 - VIEW - 1234);
});

for (const lines of [500_000, 3_000_000, 40_000_000]) {
  const total = lines * LINE;

  test(`each of ${lines} lines is reached by steps, from either end`, () => {
    const box = new Box(total);
    expect(box.scroll.height).toBe(TALLEST);
    for (let i = 1; i <= 2000; i++) {
      box.by(100);
      expect(box.scroll.top).toBe(100 * i);
    }
    box.to(1);
    expect(box.scroll.left).toBe(0);
    for (let i = 1; i <= 2000; i++) {
      box.by(-100);
      expect(box.scroll.left).toBe(100 * i);
    }
    for (let i = 0; i < 2000; i++) box.by(100);
    expect(box.scroll.left).toBe(0);
  });

  test(`a thumb over ${lines} lines stands where they are`, () => {
    const box = new Box(total);
    box.to(0.5);
    expect(box.scroll.top / (total - VIEW)).toBeCloseTo(0.5, 5);
    box.by(-300);
    box.by(200);
    box.at = box.scroll.rest();
    expect(box.at / (TALLEST - VIEW)).toBeCloseTo(0.5, 3);
    box.to(0);
    expect(box.scroll.top).toBe(0);
  });

  test(`line ${lines} is gone to, and the way from there is not blocked`, () => {
    const box = new Box(total);
    box.at = box.scroll.go(total - VIEW - 3 * LINE);
    expect(box.scroll.left).toBe(3 * LINE);
    for (let i = 0; i < 3; i++) box.by(LINE);
    expect(box.scroll.left).toBe(0);
    box.at = box.scroll.go(40);
    box.by(-100);
    expect(box.scroll.top).toBe(0);
  });
}

test('who walks on for long without a rest comes to the end all the same', () => {
  const box = new Box(2 * TALLEST);
  box.at = box.scroll.go(2 * TALLEST - 100 * VIEW);
  for (let i = 0; i < 150 * 5; i++) box.by(VIEW / 5);
  expect(box.scroll.left).toBe(0);
});

test('what grows stays where it is read', () => {
  const box = new Box(TALLEST - 10);
  box.by(5_000_000);
  box.at = box.scroll.resize(3 * TALLEST, VIEW);
  expect(box.scroll.top).toBe(5_000_000);
  box.by(100);
  expect(box.scroll.top).toBe(5_000_100);
});
