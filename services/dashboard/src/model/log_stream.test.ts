import { expect, test } from 'vitest';

import { cleanText } from './clean_text';
import { LogStream } from './log_stream';

const bytes = (text: string) => new TextEncoder().encode(text);

test('a line that comes in pieces is one line', () => {
  const log = new LogStream();
  log.append(0n, bytes('on'));
  expect(log.lines).toEqual(['on']);
  log.append(2n, bytes('e\ntwo\n'));
  expect(log.lines).toEqual(['one', 'two']);
});

test('a letter split between chunks stays whole', () => {
  const log = new LogStream();
  const whole = bytes('ä\n');
  log.append(0n, whole.subarray(0, 1));
  log.append(1n, whole.subarray(1));
  expect(log.lines).toEqual(['ä']);
});

test('repeated and overlapping chunks add only what is new', () => {
  const log = new LogStream();
  log.append(0n, bytes('abc\n'));
  log.append(0n, bytes('abc\n'));
  log.append(2n, bytes('c\nde\n'));
  expect(log.lines).toEqual(['abc', 'de']);
});

test('a hole is said aloud', () => {
  const log = new LogStream();
  log.append(10n, bytes('late\n'));
  expect(log.lines).toEqual(['[10 bytes are missing here]', 'late']);
});

test('an endless line is kept cut', () => {
  const log = new LogStream();
  for (let i = 0; i < 50; i++)
    log.append(BigInt(i * 1000), bytes('x'.repeat(1000)));
  expect(log.lines).toHaveLength(1);
  expect(log.lines[0]!.length).toBeLessThan(10_010);
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
