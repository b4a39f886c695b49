// Spans as the rows of an indented tree on one clock.

import type { AnyValue, KeyValue } from '../gen/assay/otlp/v1/common_pb';
import {
  type Span,
  Span_SpanKind,
  SpanStatus_StatusCode,
} from '../gen/assay/otlp/v1/trace_pb';
import { cleanText } from './clean_text';
import { hex } from './run_model';

// Who was at work.
export type Lane = 'runner' | 'service' | 'database' | 'reported';

export interface TraceRow {
  id: string;
  depth: number;
  name: string;
  lane: Lane;
  failed: boolean;
  // Milliseconds, from the start of the trace.
  start: number;
  duration: number;
  // The part of the duration in which nothing below it was at work.
  self: number;
  // How many spans stand below this one, at any depth.
  below: number;
  // How often one statement ran under this span, if it did so often.
  repeated: number;
  span: Span;
}

export interface TraceTree {
  rows: TraceRow[];
  // Milliseconds from the first start to the last end.
  length: number;
}

// A statement repeated so often below one request is worth a badge.
const MANY = 5;

interface Node {
  span: Span;
  children: Node[];
}

export function traceTree(spans: Iterable<Span>): TraceTree {
  const nodes = new Map<string, Node>();
  for (const span of spans) {
    nodes.set(hex(span.spanId), { span, children: [] });
  }
  const roots: Node[] = [];
  for (const node of nodes.values()) {
    const parent = nodes.get(hex(node.span.parentSpanId));
    // A parent that was dropped by a quota leaves its children as roots.
    if (parent && parent !== node) parent.children.push(node);
    else roots.push(node);
  }
  let first: bigint | null = null;
  let last = 0n;
  for (const { span } of nodes.values()) {
    if (first === null || span.startTimeUnixNano < first) {
      first = span.startTimeUnixNano;
    }
    if (span.endTimeUnixNano > last) last = span.endTimeUnixNano;
  }
  const origin = first ?? 0n;
  const rows: TraceRow[] = [];
  // Without recursion: candidates' spans can nest as deep as they like.
  const stack: { node: Node; depth: number; row: number }[] = [];
  const push = (children: Node[], depth: number) => {
    children.sort(byStart);
    for (let i = children.length - 1; i >= 0; i--) {
      stack.push({ node: children[i]!, depth, row: -1 });
    }
  };
  push(roots, 0);
  for (let top = stack.pop(); top; top = stack.pop()) {
    if (top.row >= 0) {
      rows[top.row]!.below = rows.length - top.row - 1;
      continue;
    }
    stack.push({ ...top, row: rows.length });
    // Sorts the children, which their parent's row counts on.
    push(top.node.children, top.depth + 1);
    rows.push(rowOf(top.node, top.depth, origin));
  }
  return { rows, length: first === null ? 0 : toMillis(last - origin) };
}

// The rows that are seen when those in `closed` hide what is below them. The
// rows may be a part of the trace's, as long as parents come before children.
export function visibleRows(
  rows: TraceRow[],
  closed: ReadonlySet<string>,
): TraceRow[] {
  if (closed.size === 0) return rows;
  const seen: TraceRow[] = [];
  // Rows deeper than this are hidden.
  let depth = Infinity;
  for (const row of rows) {
    if (row.depth > depth) continue;
    depth = closed.has(row.id) ? row.depth : Infinity;
    seen.push(row);
  }
  return seen;
}

// The spans that decide how long row `at` took: backwards from its end, always
// the child that ended last before.
export function criticalPath(
  rows: readonly TraceRow[],
  at: number,
): ReadonlySet<string> {
  const path = new Set<string>();
  const stack = [{ at, end: Infinity }];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const row = rows[top.at];
    if (!row) continue;
    path.add(row.id);
    const children: number[] = [];
    for (let i = top.at + 1; i <= top.at + row.below; i += rows[i]!.below + 1)
      children.push(i);
    children.sort((a, b) => endOf(rows[b]!) - endOf(rows[a]!));
    let cursor = Math.min(top.end, endOf(row));
    for (const child of children) {
      const { start } = rows[child]!;
      if (endOf(rows[child]!) > cursor + ROUNDING || start >= cursor) continue;
      stack.push({ at: child, end: cursor });
      cursor = start;
    }
  }
  return path;
}

// Milliseconds that a floating-point end may be off by.
const ROUNDING = 1e-6;

function endOf(row: TraceRow): number {
  return row.start + row.duration;
}

// Where row `at` hangs: the rows above it, from the root on.
export function ancestors(rows: readonly TraceRow[], at: number): TraceRow[] {
  const found: TraceRow[] = [];
  let depth = rows[at]?.depth ?? 0;
  for (let i = at - 1; i >= 0 && depth > 0; i--) {
    if (rows[i]!.depth >= depth) continue;
    depth = rows[i]!.depth;
    found.unshift(rows[i]!);
  }
  return found;
}

export function attributeText(value?: AnyValue): string {
  const content = value?.value;
  switch (content?.case) {
    case 'stringValue':
      return cleanText(content.value);
    case 'boolValue':
    case 'intValue':
    case 'doubleValue':
      return String(content.value);
    case 'arrayValue':
      return `[${content.value.values.map(attributeText).join(', ')}]`;
    case 'kvlistValue':
      return `{${content.value.values
        .map((pair) => `${cleanText(pair.key)}: ${attributeText(pair.value)}`)
        .join(', ')}}`;
    case 'bytesValue':
      return `${content.value.length} bytes`;
    case undefined:
      return '';
  }
}

export function attribute(span: Span, ...keys: string[]): string {
  for (const key of keys) {
    const found = span.attributes.find((each: KeyValue) => each.key === key);
    if (found) return attributeText(found.value);
  }
  return '';
}

export interface TimeRange {
  // Milliseconds, from the start of the trace.
  start: number;
  length: number;
}

// Times while a fault was at work on a wire or a process.
export function faults(rows: readonly TraceRow[]): TraceRow[] {
  return rows.filter((row) => attribute(row.span, 'assay.fault.action') !== '');
}

function rowOf(node: Node, depth: number, origin: bigint): TraceRow {
  const { span } = node;
  return {
    id: hex(span.spanId),
    depth,
    name: nameOf(span),
    lane: laneOf(span),
    failed: span.status?.code === SpanStatus_StatusCode.ERROR,
    start: toMillis(span.startTimeUnixNano - origin),
    duration: toMillis(span.endTimeUnixNano - span.startTimeUnixNano),
    self: toMillis(selfTime(node)),
    below: 0,
    repeated: mostRepeated(node.children),
    span,
  };
}

// Children may overlap each other, and outlast their parent.
function selfTime({ span, children }: Node): bigint {
  let left = span.endTimeUnixNano - span.startTimeUnixNano;
  let busy = span.startTimeUnixNano;
  for (const child of children) {
    const start = largest(child.span.startTimeUnixNano, busy);
    const end = smallest(child.span.endTimeUnixNano, span.endTimeUnixNano);
    if (end <= start) continue;
    left -= end - start;
    busy = end;
  }
  return left;
}

function largest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smallest(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

// A statement says more than the name of its operation.
function nameOf(span: Span): string {
  const statement = attribute(span, 'db.query.text', 'db.statement');
  return statement || cleanText(span.name);
}

function laneOf(span: Span): Lane {
  if (attribute(span, 'assay.source') === 'reported') return 'reported';
  if (attribute(span, 'db.system.name', 'db.system')) return 'database';
  const http =
    span.kind === Span_SpanKind.SERVER || span.kind === Span_SpanKind.CLIENT;
  return http ? 'service' : 'runner';
}

function mostRepeated(children: Node[]): number {
  const counts = new Map<string, number>();
  let most = 0;
  for (const { span } of children) {
    if (laneOf(span) !== 'database') continue;
    const shape = shapeOf(nameOf(span));
    const count = (counts.get(shape) ?? 0) + 1;
    counts.set(shape, count);
    most = Math.max(most, count);
  }
  return most >= MANY ? most : 0;
}

// A statement without its values, so that repeats are seen as such.
export function shapeOf(statement: string): string {
  return statement
    .replace(/'(?:[^']|'')*'/g, '?')
    .replace(/\b\d+(?:\.\d+)?\b/g, '?')
    .replace(/\s+/g, ' ');
}

function byStart(a: Node, b: Node): number {
  const [x, y] = [a.span.startTimeUnixNano, b.span.startTimeUnixNano];
  return x < y ? -1 : x > y ? 1 : 0;
}

function toMillis(nanos: bigint): number {
  return Number(nanos) / 1e6;
}
