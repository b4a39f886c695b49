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
    rows.push(rowOf(top.node, top.depth, origin));
    push(top.node.children, top.depth + 1);
  }
  return { rows, length: first === null ? 0 : toMillis(last - origin) };
}

// The rows that are seen when those in `closed` hide what is below them.
export function visibleRows(
  rows: TraceRow[],
  closed: ReadonlySet<string>,
): TraceRow[] {
  if (closed.size === 0) return rows;
  const seen: TraceRow[] = [];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    seen.push(row);
    if (closed.has(row.id)) i += row.below;
  }
  return seen;
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
    below: 0,
    repeated: mostRepeated(node.children),
    span,
  };
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
