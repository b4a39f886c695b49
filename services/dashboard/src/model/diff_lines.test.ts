import { expect, test } from 'vitest';

import { diffLines, splitRows } from './diff_lines';

const patch = (text: string) => new TextEncoder().encode(text);
const SAMPLE = patch(
  '@@ -3,4 +3,4 @@ def total():\n a\n-b\n-c\n+B\n d\n\\ No newline at end of file\n',
);

test('lines carry their numbers on each side', () => {
  expect(
    diffLines(SAMPLE).map(({ kind, before, after, text }) => [
      kind,
      before,
      after,
      text,
    ]),
  ).toEqual([
    ['hunk', null, null, '@@ -3,4 +3,4 @@ def total():'],
    ['context', 3, 3, 'a'],
    ['removed', 4, null, 'b'],
    ['removed', 5, null, 'c'],
    ['added', null, 4, 'B'],
    ['context', 6, 5, 'd'],
    ['note', null, null, ' No newline at end of file'],
  ]);
});

test('what was removed stands beside what replaced it', () => {
  const rows = splitRows(diffLines(SAMPLE)).map(({ left, right }) => [
    left?.text ?? null,
    right?.text ?? null,
  ]);
  expect(rows.slice(2, 4)).toEqual([
    ['b', 'B'],
    ['c', null],
  ]);
});

test('an addition without a removal has an empty left', () => {
  const rows = splitRows(diffLines(patch('@@ -0,0 +1,2 @@\n+x\n+y\n')));
  expect(rows.slice(1).map(({ left }) => left)).toEqual([null, null]);
});

test('hostile bytes and directions are made visible', () => {
  const lines = diffLines(new Uint8Array([43, 0xff, 0x1b, 0x5b, 0x32, 0x4a]));
  expect(lines[0]?.text).toBe('\uFFFD');
  expect(diffLines(patch('+if access\u202E\n'))[0]?.text).toContain('⟨U+202E⟩');
});
