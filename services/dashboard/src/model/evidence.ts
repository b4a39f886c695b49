// What was seen of one step: its requests with their answers, and the
// statements that were run.

import type { TraceSpan } from './trace_span';
import { shapeOf } from './trace_tree';

// More of a kind are counted, and are in the trace.
const MOST = 20;

export interface Statement {
  text: string;
  // Runs of this statement, whatever its values.
  count: number;
  rows: string;
  milliseconds: number;
}

export interface Exchange {
  span: TraceSpan;
  // Of the other side, where it was seen; else as the runner saw it.
  request: string;
  answer: string;
  status: string;
  statements: Statement[];
  moreStatements: number;
}

export interface Evidence {
  exchanges: Exchange[];
  moreExchanges: number;
  // Not below any request.
  statements: Statement[];
  moreStatements: number;
}

// Of the spans below `step`, 16 hex digits.
export function evidenceOf(spans: Iterable<TraceSpan>, step: string): Evidence {
  const below = new Map<string, TraceSpan[]>();
  let self: TraceSpan | null = null;
  for (const span of spans) {
    if (span.id === step) self = span;
    const list = below.get(span.parent);
    if (list) list.push(span);
    else below.set(span.parent, [span]);
  }
  const requests: TraceSpan[] = [];
  const loose: TraceSpan[] = [];
  // Without recursion: candidates' spans can nest as deep as they like.
  const open = self && isRequest(self) ? [self] : [...(below.get(step) ?? [])];
  const seen = new Set<TraceSpan>();
  for (let span = open.shift(); span; span = open.shift()) {
    if (seen.has(span)) continue;
    seen.add(span);
    if (span.attribute('assay.source') === 'reported') continue;
    if (isRequest(span)) requests.push(span);
    else if (isStatement(span)) loose.push(span);
    else open.push(...(below.get(span.id) ?? []));
  }
  const exchanges = requests.sort(byStart).map((span) => {
    const under = descendants(span, below).filter(isStatement);
    const { statements, more } = grouped(under);
    return {
      span,
      request: span.attribute('assay.http.request'),
      answer: span.attribute('assay.http.response'),
      status: span.attribute('http.response.status_code'),
      statements,
      moreStatements: more,
    };
  });
  const { statements, more } = grouped(loose);
  return {
    exchanges: exchanges.slice(0, MOST),
    moreExchanges: Math.max(0, exchanges.length - MOST),
    statements,
    moreStatements: more,
  };
}

function isRequest(span: TraceSpan): boolean {
  return span.attribute('http.request.method') !== '';
}

function isStatement(span: TraceSpan): boolean {
  return span.attribute('db.query.text') !== '';
}

function descendants(
  of: TraceSpan,
  below: ReadonlyMap<string, readonly TraceSpan[]>,
): TraceSpan[] {
  const found: TraceSpan[] = [];
  const seen = new Set([of]);
  const open = [of];
  for (let span = open.pop(); span; span = open.pop()) {
    for (const child of below.get(span.id) ?? []) {
      if (seen.has(child)) continue;
      seen.add(child);
      found.push(child);
      open.push(child);
    }
  }
  return found;
}

// The same statements once, in the order of their first runs.
function grouped(spans: TraceSpan[]): {
  statements: Statement[];
  more: number;
} {
  const groups = new Map<string, Statement>();
  for (const span of spans.sort(byStart)) {
    const text = span.attribute('db.query.text');
    const shape = shapeOf(text);
    const took = (span.end - span.start) / 1e6;
    const group = groups.get(shape);
    if (group) {
      group.count++;
      group.milliseconds += took;
    } else {
      const rows = span.attribute('db.response.returned_rows');
      groups.set(shape, { text, count: 1, rows, milliseconds: took });
    }
  }
  const statements = [...groups.values()];
  return {
    statements: statements.slice(0, MOST),
    more: Math.max(0, statements.length - MOST),
  };
}

function byStart(a: TraceSpan, b: TraceSpan): number {
  return a.start - b.start;
}
