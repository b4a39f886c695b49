// Which spans of a trace a filter means: "db.operation.name=SELECT duration>5ms".

import type { TraceRow } from './trace_tree';

export interface TraceFilter {
  matches: (row: TraceRow) => boolean;
  // What is wrong with the text, in a sentence; then nothing matches.
  problem: string;
}

type Test = (row: TraceRow) => boolean;

const TERM = /(?:[^\s"]|"[^"]*"?)+/g;
const COMPARISON = /^([^\s=!<>~"]+)(!=|>=|<=|=|>|<|~)(.*)$/s;

// Terms between spaces, all of which must hold: `key=value`, `key!=value`,
// `key~part`, `key>number` and its kin, `failed`, or words of the name. Keys are
// attributes, or `name`, `lane`, `duration`, `self`.
export function traceFilter(text: string): TraceFilter {
  const tests: Test[] = [];
  for (const [term] of text.matchAll(TERM)) {
    const test = termTest(term);
    if (typeof test === 'string')
      return { matches: () => false, problem: test };
    tests.push(test);
  }
  return {
    matches: (row) => tests.every((test) => test(row)),
    problem: '',
  };
}

function termTest(term: string): Test | string {
  if (term === 'failed') return (row) => row.failed;
  const parts = COMPARISON.exec(term);
  if (!parts) {
    const word = unquoted(term).toLowerCase();
    return (row) => row.name.toLowerCase().includes(word);
  }
  const [, key = '', operator = '', quoted = ''] = parts;
  const value = unquoted(quoted);
  if (key === 'duration' || key === 'self') {
    return timeTest(key, operator, value);
  }
  switch (operator) {
    case '=':
      return (row) => valueOf(row, key) === value;
    case '!=':
      return (row) => valueOf(row, key) !== value;
    case '~': {
      const part = value.toLowerCase();
      return (row) => valueOf(row, key).toLowerCase().includes(part);
    }
  }
  const number = Number(value);
  if (value === '' || Number.isNaN(number)) {
    return `${key}${operator} is for numbers; "${value}" is none. For text there are =, != and ~.`;
  }
  return (row) => {
    const found = valueOf(row, key);
    return found !== '' && compares(Number(found), operator, number);
  };
}

function timeTest(
  key: 'duration' | 'self',
  operator: string,
  value: string,
): Test | string {
  const limit = milliseconds(value);
  if (limit === null || operator === '~') {
    return `${key} is compared with a time such as 20ms, 1.5s or 300us, not "${operator}${value}".`;
  }
  return (row) => compares(row[key], operator, limit);
}

function milliseconds(text: string): number | null {
  const parts = /^(\d+(?:\.\d+)?)(us|µs|ms|s)?$/.exec(text);
  if (!parts) return null;
  const scale = { us: 0.001, µs: 0.001, ms: 1, s: 1000 };
  return Number(parts[1]) * scale[(parts[2] ?? 'ms') as keyof typeof scale];
}

function compares(found: number, operator: string, value: number): boolean {
  switch (operator) {
    case '=':
      return found === value;
    case '!=':
      return found !== value;
    case '>':
      return found > value;
    case '<':
      return found < value;
    case '>=':
      return found >= value;
    default:
      return found <= value;
  }
}

function valueOf(row: TraceRow, key: string): string {
  if (key === 'name') return row.name;
  if (key === 'lane') return row.lane;
  return row.attribute(key);
}

function unquoted(text: string): string {
  return text.replace(/"([^"]*)"?/g, '$1');
}

export interface FilteredRows {
  // The rows that match, with what they hang under.
  rows: TraceRow[];
  matched: ReadonlySet<string>;
}

export function filteredRows(
  rows: readonly TraceRow[],
  matches: Test,
): FilteredRows {
  const matched = new Set<string>();
  // How many of the rows before each one match.
  const before = new Uint32Array(rows.length + 1);
  rows.forEach((row, i) => {
    const found = matches(row);
    if (found) matched.add(row.id);
    before[i + 1] = before[i]! + (found ? 1 : 0);
  });
  const kept = rows.filter((row, i) => before[i + row.below + 1]! > before[i]!);
  return { rows: kept, matched };
}
