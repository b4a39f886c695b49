import { expect, test } from 'vitest';

import { cleanText } from './clean_text';
import { LogStream } from './log_stream';

const bytes = (text: string) => new TextEncoder().encode(text);
const linesOf = (log: LogStream) =>
  Array.from({ length: log.count }, (_, i) => log.text(i));

test('a line that comes in pieces is one line', () => {
  const log = new LogStream();
  log.append(0n, bytes('on'));
  expect(linesOf(log)).toEqual(['on']);
  log.append(2n, bytes('e\ntwo\n'));
  expect(linesOf(log)).toEqual(['one', 'two']);
});

test('a letter split between chunks stays whole', () => {
  const log = new LogStream();
  const whole = bytes('ä\n');
  log.append(0n, whole.subarray(0, 1));
  log.append(1n, whole.subarray(1));
  expect(linesOf(log)).toEqual(['ä']);
  expect(log.odd).toBe(false);
});

test('bytes that are no UTF-8 are said to be there, and kept as they were', async () => {
  const log = new LogStream();
  const latin = new Uint8Array([0x63, 0x61, 0x66, 0xe9, 0x0a]);
  log.append(0n, latin);
  expect(linesOf(log)).toEqual(['caf\ufffd']);
  expect(log.odd).toBe(true);
  const kept = new Uint8Array(await log.asFile().arrayBuffer());
  expect(kept).toEqual(latin);
});

test('repeated and overlapping chunks add only what is new', () => {
  const log = new LogStream();
  log.append(0n, bytes('abc\n'));
  log.append(0n, bytes('abc\n'));
  log.append(2n, bytes('c\nde\n'));
  expect(linesOf(log)).toEqual(['abc', 'de']);
});

test('a hole is said aloud', () => {
  const log = new LogStream();
  log.append(10n, bytes('late\n'));
  expect(linesOf(log)).toEqual(['[10 bytes are missing here]', 'late']);
});

test('an endless line is kept cut', () => {
  const log = new LogStream();
  for (let i = 0; i < 50; i++)
    log.append(BigInt(i * 1000), bytes('x'.repeat(1000)));
  expect(log.count).toBe(1);
  expect(log.text(0).length).toBeLessThan(10_010);
});

test('a progress bar leaves each of its states to be read', () => {
  const log = new LogStream();
  log.append(0n, bytes('10 %\r20 %\r'));
  log.append(10n, bytes('\ndone\n'));
  expect(linesOf(log)).toEqual(['10 %', '20 %', 'done']);
});

test('a search ignores case unless it has capitals, and sequences always', () => {
  const log = new LogStream();
  log.append(0n, bytes('Error one\n\x1b[1mer\x1b[0mror two\nfine\n'));
  expect(log.find('error', 0, 9)).toEqual([0, 1]);
  expect(log.find('Error', 0, 9)).toEqual([0]);
  expect(log.find('error', 1, 2)).toEqual([1]);
});

test('the file holds what was written, byte for byte', async () => {
  const log = new LogStream();
  log.append(0n, bytes('\x1b[31mred\x1b[0m\r\n'));
  expect(await log.asFile().text()).toBe('\x1b[31mred\x1b[0m\r\n');
});

test('terminal sequences are taken out, and tricks made visible', () => {
  expect(cleanText('\x1b[31mred\x1b[0m')).toBe('red');
  expect(cleanText('\x1b]8;;http://evil.test\x07link\x1b]8;;\x07')).toBe(
    'link',
  );
  expect(cleanText('a\x00b\x07')).toBe('a\\x00b\\x07');
  expect(cleanText('user\u202Egnp.exe')).toBe('user⟨U+202E⟩gnp.exe');
  expect(cleanText('<script>alert(1)</script>')).toBe(
    '<script>alert(1)</script>',
  );
});

test('what was written meanwhile is found by when it was read', () => {
  const log = new LogStream();
  const bytes = (text: string) => new TextEncoder().encode(text);
  let offset = 0n;
  for (const [time, text] of [
    [100, 'a\nb'],
    [200, 'c\nd\n'],
    [300, 'e\n'],
  ] as const) {
    log.append(offset, bytes(text), time);
    offset += BigInt(text.length);
  }
  const lines = (from: number, to: number) => {
    const { first, end } = log.writtenBetween(from, to);
    return Array.from({ length: end - first }, (_, i) => log.text(first + i));
  };
  expect(lines(0, 99)).toEqual([]);
  expect(lines(100, 150)).toEqual(['a']);
  // A line that was begun before and ended then is of both.
  expect(lines(150, 250)).toEqual(['bc', 'd']);
  expect(lines(200, 900)).toEqual(['bc', 'd', 'e']);
  expect(lines(301, 900)).toEqual([]);
});
