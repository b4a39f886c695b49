import { useEffect, useState } from 'react';

import type { LogStream } from '../model/log_stream';

// How much is searched before the page gets a turn again.
const LINES_A_TURN = 20_000;
// More lines than anyone steps through.
const MOST = 10_000;

// The lines of a growing output that hold `query`, found bit by bit.
export function useLogSearch(log: LogStream, query: string): readonly number[] {
  const [found, setFound] = useState<Search>(() => ({ ...NOTHING, log }));
  const { count } = log;
  const stale = found.query !== query || found.log !== log;
  const searched = stale ? 0 : found.searched;
  useEffect(() => {
    if (!query || searched >= count) return;
    const turn = setTimeout(() => {
      const to = Math.min(searched + LINES_A_TURN, count);
      // What was the last line may have grown since.
      const from = Math.max(0, searched - 1);
      const more = log.find(query, from, to);
      setFound((before) => {
        const kept =
          before.query === query && before.log === log ? before.lines : [];
        const lines = kept.filter((line) => line < from).concat(more);
        return { log, query, searched: to, lines: lines.slice(0, MOST) };
      });
    });
    return () => clearTimeout(turn);
  }, [log, query, searched, count]);
  return query && !stale ? found.lines : NOTHING.lines;
}

interface Search {
  log: LogStream | null;
  query: string;
  searched: number;
  lines: readonly number[];
}

const NOTHING: Search = { log: null, query: '', searched: 0, lines: [] };
