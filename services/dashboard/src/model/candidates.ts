// Candidates of an assignment: their columns, in which order and which of them,
// and as files for elsewhere.

import type { Timestamp } from '@bufbuild/protobuf/wkt';

import { Decision_Outcome } from '../gen/assay/v1/decision_pb';
import {
  type Candidate,
  Candidate_State,
} from '../gen/assay/v1/overview_service_pb';
import { cleanText } from './clean_text';
import { idOf, millis, pointsText } from './format';

export interface Column {
  id: string;
  label: string;
  number?: boolean;
  // What a cell shows; times show how long ago instead.
  text: (one: Candidate) => string;
  time?: (one: Candidate) => Timestamp | undefined;
  // What rows are ordered by; null goes last, whichever way.
  key: (one: Candidate) => string | number | null;
}

const timed = (
  id: string,
  label: string,
  time: (one: Candidate) => Timestamp | undefined,
): Column => ({
  id,
  label,
  time,
  text: (one) => isoText(time(one)),
  key: (one) => millis(time(one)),
});

const counted = (
  id: string,
  label: string,
  count: (one: Candidate) => number,
): Column => ({
  id,
  label,
  number: true,
  text: (one) => String(count(one)),
  key: count,
});

const named = (
  id: string,
  label: string,
  text: (one: Candidate) => string,
): Column => ({
  id,
  label,
  text,
  key: (one) => text(one).toLowerCase() || null,
});

export const COLUMNS: readonly Column[] = [
  named('candidate', 'Candidate', nameOf),
  named('address', 'Address', (one) => cleanText(one.candidateEmail)),
  {
    id: 'state',
    label: 'State',
    text: (one) => stateText(one.state) + (one.paused ? ', paused' : ''),
    key: (one) => one.state,
  },
  {
    id: 'score',
    label: 'Score',
    number: true,
    text: (one) =>
      one.earnedPoints === undefined
        ? ''
        : `${pointsText(one.earnedPoints)} / ${pointsText(one.maxPoints)}`,
    key: (one) => one.earnedPoints ?? null,
  },
  named('decision', 'Decision', (one) => decisionText(one.decision)),
  counted('pushes', 'Pushes', (one) => one.pushCount),
  timed('invited', 'Invited', (one) => one.inviteTime),
  timed('started', 'Started', (one) => one.startTime),
  timed('deadline', 'Deadline', (one) => one.deadline),
  timed('submitted', 'Submitted', (one) => one.submitTime),
  timed('decided', 'Decided', (one) => one.decideTime),
  counted('version', 'Version', (one) => one.assignmentVersion),
  counted('time-factor', 'Time factor', (one) => one.accommodation || 1),
];

export const USUAL_COLUMNS = [
  'candidate',
  'state',
  'score',
  'decision',
  'pushes',
  'deadline',
  'submitted',
];

// What a candidate is called: reviewers do not learn names.
export function nameOf(one: Candidate): string {
  return cleanText(one.candidateName) || idOf(one.attempt || one.invitation);
}

export interface Choice {
  // Words that must all occur, in any column.
  words: string;
  // 0: any.
  state: Candidate_State;
  sort: string;
  down: boolean;
}

export function choose(list: readonly Candidate[], by: Choice): Candidate[] {
  const words = by.words.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = list.filter(
    (one) =>
      (by.state === Candidate_State.UNSPECIFIED || one.state === by.state) &&
      (words.length === 0 || matches(one, words)),
  );
  const column = COLUMNS.find(({ id }) => id === by.sort);
  if (!column) return chosen;
  const sign = by.down ? -1 : 1;
  const keyed = chosen.map((one) => ({ one, key: column.key(one) }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) {
      return Number(a.key === null) - Number(b.key === null);
    }
    if (a.key === b.key) return 0;
    return a.key < b.key ? -sign : sign;
  });
  return keyed.map(({ one }) => one);
}

function matches(one: Candidate, words: string[]): boolean {
  const text = [
    one.candidateName,
    one.candidateEmail,
    one.attempt,
    one.invitation,
    stateText(one.state),
    decisionText(one.decision),
  ]
    .join(' ')
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

export function stateText(state: Candidate_State): string {
  switch (state) {
    case Candidate_State.INVITED:
      return 'invited';
    case Candidate_State.EXPIRED:
      return 'expired';
    case Candidate_State.REVOKED:
      return 'taken back';
    case Candidate_State.ACCEPTED:
      return 'accepted';
    case Candidate_State.STARTED:
      return 'clock runs';
    case Candidate_State.SUBMITTED:
      return 'submitted';
    case Candidate_State.DECIDED:
      return 'decided';
    case Candidate_State.NOTHING_SUBMITTED:
      return 'nothing submitted';
    case Candidate_State.UNSPECIFIED:
      return '';
  }
}

export function decisionText(outcome: Decision_Outcome): string {
  switch (outcome) {
    case Decision_Outcome.ADVANCE:
      return 'advance';
    case Decision_Outcome.REJECT:
      return 'reject';
    case Decision_Outcome.HOLD:
      return 'hold';
    case Decision_Outcome.UNSPECIFIED:
      return '';
  }
}

function isoText(time?: Timestamp): string {
  const at = millis(time);
  return at === null ? '' : new Date(at).toISOString();
}

// One cell of a CSV file. What a spreadsheet would take for a formula gets a
// quote in front of it: names are candidates' words.
export function csvCell(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

// RFC 4180, with a header line.
export function csvOf(list: readonly Candidate[]): string {
  const rows = [COLUMNS.map((column) => column.label)];
  for (const one of list) rows.push(COLUMNS.map((column) => column.text(one)));
  return rows.map((row) => row.map(csvCell).join(',') + '\r\n').join('');
}
