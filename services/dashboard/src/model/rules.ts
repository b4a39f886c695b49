// What an assignment allows, one sentence for each; the same as the command
// line says.

import { durationMs } from '@bufbuild/protobuf/wkt';

import { AssignmentSpec_LatePolicy } from '../gen/assay/v1/assignment_pb';
import type { AttemptClock, AttemptRules } from '../gen/assay/v1/attempt_pb';
import { durationText, millis, sizeText, whenText } from './format';

export function ruleSentences(
  rules?: AttemptRules,
  clock?: AttemptClock,
): string[] {
  const sentences: string[] = [];
  const allowed = clock?.duration ? durationMs(clock.duration) : 0;
  const factor = clock?.accommodation || 1;
  sentences.push(
    `You have ${durationText(allowed * factor)} from the moment you start. ` +
      'The clock does not stop in between.',
  );
  const grace = clock?.grace ? durationMs(clock.grace) : 0;
  if (grace > 0) {
    sentences.push(
      `Pushes count until ${durationText(grace)} after the deadline.`,
    );
  }
  if (!rules) return sentences;
  const opens = millis(rules.openTime);
  if (opens !== null) sentences.push(`It opens at ${whenText(opens)}.`);
  const closes = millis(rules.hardCloseTime);
  if (closes !== null) {
    sentences.push(
      `Nothing counts after ${whenText(closes)}, whatever the clock says.`,
    );
  }
  sentences.push(lateSentence(rules.latePolicy));
  sentences.push(
    rules.allowForcePush
      ? 'You may rewrite history; what was pushed before is kept.'
      : 'History cannot be rewritten: push without --force.',
  );
  if (rules.linearHistory) {
    sentences.push('Merges are refused: rebase instead.');
  }
  if (rules.commitSubject !== '') {
    sentences.push(
      `The first line of each commit's message has to match ${rules.commitSubject} (RE2).`,
    );
  }
  if (rules.allowTags) {
    sentences.push(
      'You may push tags, one at a time; they are kept and not graded.',
    );
  }
  if (rules.maxPushBytes > 0n) {
    sentences.push(
      `A push may have up to ${sizeText(Number(rules.maxPushBytes))}.`,
    );
  }
  sentences.push(
    rules.pushRunsPerHour === 0
      ? 'Every push to main runs the public checks.'
      : `Up to ${rules.pushRunsPerHour} pushes an hour run the public checks.`,
  );
  sentences.push(
    'Your last push to main is handed in at the deadline by itself.',
  );
  return sentences;
}

function lateSentence(policy: AssignmentSpec_LatePolicy): string {
  switch (policy) {
    case AssignmentSpec_LatePolicy.LATE:
      return 'Pushes after it are kept, marked late, and do not count.';
    case AssignmentSpec_LatePolicy.PRACTICE:
      return 'Pushes after it are kept and run for your own use; they do not count.';
    case AssignmentSpec_LatePolicy.REJECT:
    case AssignmentSpec_LatePolicy.UNSPECIFIED:
      return 'Pushes after it are refused.';
  }
}

export const WHAT_IS_RECORDED = [
  'When you start, push and submit, by the server’s clock; commit dates are shown beside it.',
  'Every commit that you push, with its history; nothing of your machine beside it.',
  'What your program does while it is graded: requests, responses, database statements, logs.',
  'Questions that you ask; whoever answers does not learn who asked.',
  'Nothing records your screen, your keyboard or your camera.',
];

// How far the browser's clock is from the server's, as a sentence; empty when
// nobody would notice.
export function skewSentence(offset: number): string {
  if (Math.abs(offset) < 5000) return '';
  const distance = durationText(Math.round(Math.abs(offset) / 1000) * 1000);
  return `This machine’s clock is ${distance} ${offset < 0 ? 'ahead of' : 'behind'} the server’s, which decides. Times here follow the server.`;
}
