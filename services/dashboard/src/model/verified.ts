// What `assay suite verify --report suite/verified.json` wrote beside a suite:
// how it judged solutions of which the author knows what they lose.

export const VERIFIED_FILE = 'verified.json';

export interface Surprise {
  check: string;
  declared: number;
  earned: number;
  times: number;
  reason: string;
}

export interface VerifiedSolution {
  id: string;
  title: string;
  ok: boolean;
  runs: number;
  asDeclared: number;
  points: number;
  max: number;
  // Checks that it was meant to lose, and lost.
  lost: string[];
  surprises: Surprise[];
  problem: string;
}

export interface Verified {
  ok: boolean;
  solutions: VerifiedSolution[];
  // Checks that no faulty solution loses.
  unguarded: string[];
}

type Fields = Record<string, unknown>;

// Null for a file that is none of those: anybody may have written it.
export function parseVerified(text: string): Verified | null {
  try {
    const table = fieldsOf(JSON.parse(text));
    const solutions = listOf(table.solutions).map((each) => {
      const row = fieldsOf(each);
      return {
        id: textOf(row.id),
        title: textOf(row.title),
        ok: row.ok === true,
        runs: numberOf(row.runs),
        asDeclared: numberOf(row.as_declared),
        points: numberOf(row.points),
        max: numberOf(row.max),
        lost: listOf(row.lost).map(textOf),
        surprises: listOf(row.surprises).map(surpriseOf),
        problem: textOf(row.problem),
      };
    });
    const unguarded = listOf(table.unguarded).map(textOf);
    return { ok: table.ok === true, solutions, unguarded };
  } catch {
    return null;
  }
}

function surpriseOf(value: unknown): Surprise {
  const fields = fieldsOf(value);
  return {
    check: textOf(fields.check),
    declared: numberOf(fields.declared),
    earned: numberOf(fields.earned),
    times: numberOf(fields.times),
    reason: textOf(fields.reason),
  };
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('no object');
  return value as Fields;
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError('no list');
  return value;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
