// A file's hunks as whole texts, before and after, and what is known of their
// lines brought back to the lines of the diff.

import type { DiffLine } from './diff_lines';

export interface DiffTexts {
  texts: string[];
  // For each line of the diff, which text and which line of it; null: none.
  places: (readonly [text: number, line: number] | null)[];
}

// Each hunk gives two: what was there and what is there now. A line of context
// is looked up in the second.
export function diffTexts(lines: readonly DiffLine[]): DiffTexts {
  const texts: string[][] = [];
  const places: DiffTexts['places'] = [];
  for (const { kind, text } of lines) {
    if (kind === 'hunk' || texts.length === 0) texts.push([], []);
    const [before, after] = [texts.length - 2, texts.length - 1];
    if (kind === 'removed') {
      places.push([before, texts[before]!.push(text) - 1]);
    } else if (kind === 'added' || kind === 'context') {
      places.push([after, texts[after]!.push(text) - 1]);
      if (kind === 'context') texts[before]!.push(text);
    } else {
      places.push(null);
    }
  }
  return { texts: texts.map((text) => text.join('\n')), places };
}
