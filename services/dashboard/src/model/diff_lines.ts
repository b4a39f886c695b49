// A file's hunks as the rows of a unified or a split view.

import { cleanText } from './clean_text';

export type LineKind = 'context' | 'added' | 'removed' | 'hunk' | 'note';

export interface DiffLine {
  kind: LineKind;
  // Line numbers before and after; null where there is none.
  before: number | null;
  after: number | null;
  text: string;
}

export interface SplitRow {
  left: DiffLine | null;
  right: DiffLine | null;
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)$/;
const MAX_LINE = 2_000;

// Bytes that are no UTF-8 show as U+FFFD.
export function diffLines(patch: Uint8Array): DiffLine[] {
  const rows: DiffLine[] = [];
  let before = 0;
  let after = 0;
  const raw = new TextDecoder().decode(patch).split('\n');
  if (raw.at(-1) === '') raw.pop();
  for (const line of raw) {
    const hunk = HUNK.exec(line);
    const text = shown(line.slice(1));
    if (hunk) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      rows.push({ kind: 'hunk', before: null, after: null, text: shown(line) });
    } else if (line.startsWith('+')) {
      rows.push({ kind: 'added', before: null, after: after++, text });
    } else if (line.startsWith('-')) {
      rows.push({ kind: 'removed', before: before++, after: null, text });
    } else if (line.startsWith('\\')) {
      rows.push({ kind: 'note', before: null, after: null, text });
    } else {
      rows.push({ kind: 'context', before: before++, after: after++, text });
    }
  }
  return rows;
}

// What was removed stands beside what was added in its place.
export function splitRows(lines: readonly DiffLine[]): SplitRow[] {
  const rows: SplitRow[] = [];
  for (let i = 0; i < lines.length;) {
    const line = lines[i]!;
    if (line.kind !== 'removed' && line.kind !== 'added') {
      rows.push({ left: line, right: line });
      i++;
      continue;
    }
    const removed = run(lines, i, 'removed');
    const added = run(lines, i + removed, 'added');
    for (let k = 0; k < Math.max(removed, added); k++) {
      rows.push({
        left: k < removed ? lines[i + k]! : null,
        right: k < added ? lines[i + removed + k]! : null,
      });
    }
    i += removed + added;
  }
  return rows;
}

function run(lines: readonly DiffLine[], from: number, kind: LineKind): number {
  let to = from;
  while (lines[to]?.kind === kind) to++;
  return to - from;
}

// A line that no screen shows is cut.
function shown(text: string): string {
  const clean = cleanText(text.endsWith('\r') ? text.slice(0, -1) : text);
  return clean.length > MAX_LINE ? `${clean.slice(0, MAX_LINE)} […]` : clean;
}
