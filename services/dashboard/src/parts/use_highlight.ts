import { useEffect, useMemo, useState } from 'react';

import type { DiffLine } from '../model/diff_lines';
import { diffTexts } from '../model/diff_texts';
import type { Token } from '../model/highlight';
import { languageOf } from '../model/language';
import { highlighter } from './highlighter';

export type Tokens = ReadonlyMap<DiffLine, Token[]>;

const NONE: Tokens = new Map();

// The lines' tokens, once they are known; until then, and where the language is
// not, there are none.
export function useHighlight(path: string, lines: readonly DiffLine[]): Tokens {
  const [tokens, setTokens] = useState(NONE);
  const language = languageOf(path);
  const { texts, places } = useMemo(() => diffTexts(lines), [lines]);
  useEffect(() => {
    if (!language) return;
    const wanted = new AbortController();
    void highlighter.ask(language, texts, wanted.signal).then((found) => {
      if (!found || wanted.signal.aborted) return;
      const known = new Map<DiffLine, Token[]>();
      places.forEach((place, i) => {
        const line = place && found[place[0]]?.[place[1]];
        if (line) known.set(lines[i]!, line);
      });
      setTokens(known);
    });
    return () => wanted.abort();
  }, [language, texts, places, lines]);
  return tokens;
}
