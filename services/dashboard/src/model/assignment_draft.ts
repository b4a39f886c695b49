import { clone, create } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';

import {
  type Assignment,
  type AssignmentSpec,
  AssignmentSpec_LatePolicy as LatePolicy,
  AssignmentSpecSchema,
} from '../gen/assay/v1/assignment_pb';
import { fromText, sorted, textOf, type TreeFile } from './file_tree';
import { idOf } from './format';
import { VERIFIED_FILE } from './verified';

// Compiles as it is: something to change rather than an empty page.
const FIRST_SUITE = `version: 1
name: My task
limits: { run: 120s, check: 15s, request: 5s }
service:
  start: { run: ./run }
  ready: { get: /healthz, within: 30s }
checks:
  - id: answers
    title: Answers at its root
    points: 10
    visibility: public
    steps:
      - get: /
        expect: { status: 200 }
`;

// Text files by path. Others of a suite stay as they are, beside them.
export type SuiteTexts = Record<string, string>;

// What is written on the page, as it is kept between visits.
export interface Draft {
  id: string;
  title: string;
  brief: string;
  hours: string;
  graceSeconds: string;
  latePolicy: LatePolicy;
  aiPolicy: string;
  texts: SuiteTexts;
  // The version that was there when the writing began; 0: a new assignment.
  version: number;
}

const NEW: Draft = {
  id: '',
  title: '',
  brief: '',
  hours: '4',
  graceSeconds: '120',
  latePolicy: LatePolicy.REJECT,
  aiPolicy: '',
  texts: { 'assay.yaml': FIRST_SUITE },
  version: 0,
};

export function draftOf(
  assignment: Assignment | null,
  files: TreeFile[],
): Draft {
  const spec = assignment?.spec;
  if (!assignment || !spec) return NEW;
  const texts: SuiteTexts = {};
  for (const file of files) {
    const text = textOf(file);
    if (text !== null) texts[file.path] = text;
  }
  return {
    id: idOf(assignment.name),
    title: spec.title,
    brief: spec.brief,
    hours: String((spec.duration ? durationMs(spec.duration) : 0) / 3_600_000),
    graceSeconds: String((spec.grace ? durationMs(spec.grace) : 0) / 1000),
    latePolicy: spec.latePolicy,
    aiPolicy: spec.aiPolicy,
    texts,
    version: assignment.version,
  };
}

// What a draft says of an assignment; what is not written stays as it was.
export function specOf(draft: Draft, base: Assignment | null): AssignmentSpec {
  const spec = base?.spec
    ? clone(AssignmentSpecSchema, base.spec)
    : create(AssignmentSpecSchema);
  return Object.assign(spec, {
    title: draft.title.trim(),
    brief: draft.brief,
    duration: durationFromMs(Math.round(Number(draft.hours) * 3_600_000)),
    grace: durationFromMs(Number(draft.graceSeconds) * 1000),
    latePolicy: draft.latePolicy,
    aiPolicy: draft.aiPolicy,
  });
}

// The files of a draft's suite, beside those that are no text.
export function suiteFilesOf(
  draft: Draft,
  before: Draft,
  others: readonly TreeFile[],
): TreeFile[] {
  const texts = { ...draft.texts };
  const changed = Object.keys({ ...texts, ...before.texts }).some(
    (path) => texts[path] !== before.texts[path],
  );
  // Of another suite it says nothing.
  if (changed) delete texts[VERIFIED_FILE];
  return sorted([
    ...Object.entries(texts).map(([path, text]) => fromText(path, text)),
    ...others,
  ]);
}
