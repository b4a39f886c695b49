import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import {
  CandidateSchema,
  Candidate_State,
} from '../gen/assay/v1/overview_service_pb';
import { type Choice, choose, csvCell, csvOf } from './candidates';

const ANY: Choice = {
  words: '',
  state: Candidate_State.UNSPECIFIED,
  sort: '',
  down: false,
};

const person = (candidateName: string, more = {}) =>
  create(CandidateSchema, {
    candidateName,
    invitation: `invitations/${candidateName}`,
    state: Candidate_State.SUBMITTED,
    ...more,
  });

const PEOPLE = [
  person('Ada', { earnedPoints: 75, maxPoints: 100 }),
  person('Bob'),
  person('Grace', { earnedPoints: 9, maxPoints: 100 }),
  person('Linus', { earnedPoints: 100, state: Candidate_State.DECIDED }),
];
const names = (by: Partial<Choice>) =>
  choose(PEOPLE, { ...ANY, ...by }).map((one) => one.candidateName);

test('scores are ordered as numbers, and those without one come last', () => {
  expect(names({ sort: 'score' })).toEqual(['Grace', 'Ada', 'Linus', 'Bob']);
  expect(names({ sort: 'score', down: true })).toEqual([
    'Linus',
    'Ada',
    'Grace',
    'Bob',
  ]);
});

test('every word must occur, in any case', () => {
  expect(names({ words: 'gra' })).toEqual(['Grace']);
  expect(names({ words: 'SUBMITTED ada' })).toEqual(['Ada']);
  expect(names({ words: 'ada bob' })).toEqual([]);
});

test('one state is chosen', () => {
  expect(names({ state: Candidate_State.DECIDED })).toEqual(['Linus']);
});

test('a spreadsheet calculates nothing that a candidate wrote', () => {
  expect(csvCell('=HYPERLINK("http://x")')).toBe(`"'=HYPERLINK(""http://x"")"`);
  for (const start of ['=', '+', '-', '@', '\t', '\r']) {
    expect(csvCell(`${start}1`).replace('"', '')).toMatch(/^'/);
  }
  expect(csvCell('a,b')).toBe('"a,b"');
  expect(csvCell('plain')).toBe('plain');
});

test('a file has a line for each', () => {
  const lines = csvOf(PEOPLE).split('\r\n');
  expect(lines).toHaveLength(PEOPLE.length + 2);
  expect(lines[1]).toContain('75 / 100');
});
