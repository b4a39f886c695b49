// Spans as the rows of an indented tree on one clock.

import type { Span } from '../gen/assay/otlp/v1/trace_pb';
import type { Lane, TraceSpan } from './trace_span';

export interface TraceRow {
  id: string;
  depth: number;
  name: string;
  lane: Lane;
  failed: boolean;
  isFault: boolean;
  // It names a parent that is not in the trace.
  orphan: boolean;
  // Milliseconds, from the start of the trace.
  start: number;
  duration: number;
  // The part of the duration in which nothing below it was at work.
  self: number;
  // How many spans stand below this one, at any depth.
  below: number;
  // How often one statement ran under this span, if it did so often.
  repeated: number;
  attribute: (...keys: string[]) => string;
  // All that is known of it, which is read when it is asked for.
  readonly span: Span;
}

export interface TraceTree {
  rows: TraceRow[];
  // Milliseconds from the first start to the last end.
  length: number;
}

// A statement repeated so often below one request is worth a badge.
const MANY = 5;

interface Node {
  span: TraceSpan;
  children: Node[];
  // Whether it has a row.
  placed: boolean;
}

const NONE: Node[] = [];

export function traceTree(spans: Iterable<TraceSpan>): TraceTree {
  const nodes = new Map<string, Node>();
  let first = Infinity;
  let last = -Infinity;
  for (const span of spans) {
    nodes.set(span.id, { span, children: NONE, placed: false });
    first = Math.min(first, span.start);
    last = Math.max(last, span.end);
  }
  const roots: Node[] = [];
  for (const node of nodes.values()) {
    const parent = nodes.get(node.span.parent);
    // A parent that was dropped by a quota leaves its children as roots.
    if (!parent || parent === node) roots.push(node);
    else if (parent.children === NONE) parent.children = [node];
    else parent.children.push(node);
  }
  const rows: TraceRow[] = [];
  const shapes = new Map<string, string>();
  // Without recursion: candidates' spans can nest as deep as they like.
  const stack: { node: Node; depth: number; row: number }[] = [];
  const push = (children: Node[], depth: number) => {
    if (children.length > 1) children.sort(byStart);
    for (let i = children.length - 1; i >= 0; i--) {
      stack.push({ node: children[i]!, depth, row: -1 });
    }
  };
  const place = () => {
    for (let top = stack.pop(); top; top = stack.pop()) {
      const { node, depth } = top;
      if (top.row >= 0) {
        rows[top.row]!.below = rows.length - top.row - 1;
        continue;
      }
      if (node.placed) continue;
      node.placed = true;
      if (node.children.length > 0) {
        top.row = rows.length;
        stack.push(top);
        // Sorts the children, which their parent's row counts on.
        push(node.children, depth + 1);
      }
      // A run's own span begins the trace; what it names is the coordinator's,
      // which goes to the installation's collector and not here.
      const isRun = node.span.name === 'run' && node.span.lane === 'runner';
      const orphan = depth === 0 && node.span.parent !== '' && !isRun;
      rows.push(new Row(node, depth, first, orphan, shapes));
    }
  };
  push(roots, 0);
  place();
  // Spans that are each other's parents hang under no root.
  for (const node of nodes.values()) {
    if (node.placed) continue;
    push([node], 0);
    place();
  }
  return { rows, length: nodes.size === 0 ? 0 : (last - first) / 1e6 };
}

class Row implements TraceRow {
  readonly id: string;
  readonly name: string;
  readonly lane: Lane;
  readonly failed: boolean;
  readonly isFault: boolean;
  readonly start: number;
  readonly duration: number;
  readonly self: number;
  readonly repeated: number;
  below = 0;
  readonly #span: TraceSpan;

  constructor(
    node: Node,
    readonly depth: number,
    origin: number,
    readonly orphan: boolean,
    shapes: Map<string, string>,
  ) {
    const { span } = node;
    this.#span = span;
    this.id = span.id;
    this.name = span.name;
    this.lane = span.lane;
    this.failed = span.failed;
    this.isFault = span.isFault;
    this.start = (span.start - origin) / 1e6;
    this.duration = (span.end - span.start) / 1e6;
    this.self = selfTime(node) / 1e6;
    this.repeated = mostRepeated(node.children, shapes);
  }

  get span(): Span {
    return this.#span.whole;
  }

  attribute(...keys: string[]): string {
    return this.#span.attribute(...keys);
  }
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

export interface TimeRange {
  // Milliseconds, from the start of the trace.
  start: number;
  length: number;
}

// The same time further on or back, within a trace of that length.
export function moved(range: TimeRange, by: number, length: number): TimeRange {
  const latest = Math.max(0, length - range.length);
  const start = Math.min(latest, Math.max(0, range.start + by));
  return { start, length: range.length };
}

// Times while a fault was at work on a wire or a process.
export function faults(rows: readonly TraceRow[]): TraceRow[] {
  return rows.filter((row) => row.isFault);
}

// Children may overlap each other, and outlast their parent.
function selfTime({ span, children }: Node): number {
  let left = span.end - span.start;
  let busy = span.start;
  for (const child of children) {
    const start = Math.max(child.span.start, busy);
    const end = Math.min(child.span.end, span.end);
    if (end <= start) continue;
    left -= end - start;
    busy = end;
  }
  return left;
}

// `shapes` keeps the shapes of statements that were met.
function mostRepeated(children: Node[], shapes: Map<string, string>): number {
  if (children.length < MANY) return 0;
  const counts = new Map<string, number>();
  let most = 0;
  for (const { span } of children) {
    if (span.lane !== 'database') continue;
    let shape = shapes.get(span.name);
    if (shape === undefined) {
      shapes.set(span.name, (shape = shapeOf(span.name)));
    }
    const count = (counts.get(shape) ?? 0) + 1;
    counts.set(shape, count);
    most = Math.max(most, count);
  }
  return most >= MANY ? most : 0;
}

export interface StatementGroup {
  shape: string;
  count: number;
  // Milliseconds of all of them.
  total: number;
  // The first one's id.
  first: string;
  // So many below one request are worth a badge.
  many: boolean;
}

// More kinds of statements than are read.
const GROUPS = 30;

// The statements below row `at` by their shape, the most frequent first.
export function statementGroups(
  rows: readonly TraceRow[],
  at: number,
): StatementGroup[] {
  const groups = new Map<string, StatementGroup>();
  const end = at + (rows[at]?.below ?? 0);
  for (let i = at + 1; i <= end; i++) {
    const row = rows[i]!;
    if (row.lane !== 'database') continue;
    const shape = shapeOf(row.name);
    let group = groups.get(shape);
    if (!group) {
      group = { shape, count: 0, total: 0, first: row.id, many: false };
      groups.set(shape, group);
    }
    group.count++;
    group.total += row.duration;
    // Of a whole check or run it says nothing that they are many.
    group.many = group.count >= MANY && rows[at]!.lane === 'service';
  }
  return [...groups.values()]
    .sort((a, b) => b.count - a.count || b.total - a.total)
    .slice(0, GROUPS);
}

// A statement without its values, so that repeats are seen as such.
export function shapeOf(statement: string): string {
  return statement
    .replace(/'(?:[^']|'')*'/g, '?')
    .replace(/\b\d+(?:\.\d+)?\b/g, '?')
    .replace(/\s+/g, ' ');
}

function byStart(a: Node, b: Node): number {
  return a.span.start - b.span.start;
}
