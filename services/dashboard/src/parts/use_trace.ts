import { useCallback, useDeferredValue, useMemo, useState } from 'react';

import type { RunModel } from '../model/run_model';
import {
  filteredRows,
  traceFilter,
  type TraceFilter,
} from '../model/trace_filter';
import {
  criticalPath,
  faults,
  type TraceRow,
  type TraceTree,
  traceTree,
  visibleRows,
} from '../model/trace_tree';

const NONE: ReadonlySet<string> = new Set();

// Below who caused it, or beside who else was at work.
export type Layout = 'tree' | 'lanes';

export interface Trace {
  tree: TraceTree;
  // What is left by the filter and by what was folded.
  rows: TraceRow[];
  filter: TraceFilter;
  // The spans that the filter means; null without one.
  matched: ReadonlySet<string> | null;
  faults: TraceRow[];
  closed: ReadonlySet<string>;
  toggle: (id: string, close: boolean) => void;
  chosen: string;
  choose: (id: string) => void;
  // Where the chosen span is among the tree's rows; -1 where none is.
  at: number;
  // What decided how long the chosen span took, if that is asked for.
  critical: ReadonlySet<string>;
  text: string;
  setText: (text: string) => void;
  layout: Layout;
  setLayout: (layout: Layout) => void;
  asTable: boolean;
  setAsTable: (shows: boolean) => void;
  showsPath: boolean;
  setShowsPath: (shows: boolean) => void;
}

// What a reader of a run's trace chose, and what that leaves to be drawn.
// `first` is the span that is chosen to begin with; empty for none.
export function useTrace(
  model: RunModel,
  version: number,
  first: string,
): Trace {
  // The spans are kept in place; `version` is what says that they changed.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const tree = useMemo(() => traceTree(model.spans.values()), [model, version]);
  const [closed, setClosed] = useState<ReadonlySet<string>>(NONE);
  const [chosen, choose] = useState(first);
  const [text, setText] = useState('');
  const [showsPath, setShowsPath] = useState(false);
  const [layout, setLayout] = useState<Layout>('tree');
  const [asTable, setAsTable] = useState(false);

  const query = useDeferredValue(text.trim());
  const filter = useMemo(() => traceFilter(query), [query]);
  const kept = useMemo(
    () => (query ? filteredRows(tree.rows, filter.matches) : null),
    [tree, query, filter],
  );
  const rows = useMemo(
    () => visibleRows(kept?.rows ?? tree.rows, closed),
    [tree, kept, closed],
  );
  const places = useMemo(
    () => new Map(tree.rows.map((row, i) => [row.id, i])),
    [tree],
  );
  const at = places.get(chosen) ?? -1;
  const critical = useMemo(
    () => (showsPath ? criticalPath(tree.rows, Math.max(0, at)) : NONE),
    [showsPath, tree, at],
  );
  const bands = useMemo(() => faults(tree.rows), [tree]);
  // The same function each time, so that rows are not drawn for its sake.
  const toggle = useCallback((id: string, close: boolean) => {
    setClosed((before) => {
      const next = new Set(before);
      if (close) next.add(id);
      else next.delete(id);
      return next;
    });
  }, []);
  return {
    tree,
    rows,
    filter,
    matched: kept?.matched ?? null,
    faults: bands,
    closed,
    toggle,
    chosen,
    choose,
    at,
    critical,
    text,
    setText,
    layout,
    setLayout,
    asTable,
    setAsTable,
    showsPath,
    setShowsPath,
  };
}
