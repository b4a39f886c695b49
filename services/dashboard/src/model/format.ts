// Numbers, times and names as people read them.

import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import { durationMs, timestampMs } from '@bufbuild/protobuf/wkt';

import { Verdict } from '../gen/assay/v1/check_pb';
import {
  type Run,
  Run_Kind,
  Run_Outcome,
  Run_State,
} from '../gen/assay/v1/run_pb';

// The last part of a resource name: "runs/7f3a" is "7f3a".
export function idOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

export function shortCommit(commit: string): string {
  return commit.slice(0, 8);
}

// "250 ns", "850 µs", "42 ms", "1.24 s", "2 min 05 s", "3 h 00 min".
export function durationText(milliseconds: number): string {
  if (milliseconds > 0 && milliseconds < 0.001)
    return `${Math.round(milliseconds * 1e6)} ns`;
  if (milliseconds < 1) return `${Math.round(milliseconds * 1000)} µs`;
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60 && Number.isInteger(seconds)) return `${seconds} s`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const whole = Math.floor(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  }
  const minutes = Math.floor(whole / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

export function protoDurationText(duration?: Duration): string {
  return duration ? durationText(durationMs(duration)) : '';
}

// Milliseconds since 1970, or null.
export function millis(time?: Timestamp): number | null {
  return time ? timestampMs(time) : null;
}

// Made once: to make one takes longer than to draw the cell that it is for.
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const MOMENT = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'long',
});

// "just now", "4 min ago", "in 2 h"; days and beyond as a date.
export function relativeText(time: number, now: number): string {
  const seconds = Math.round((now - time) / 1000);
  const ago = (text: string) => (seconds < 0 ? `in ${text}` : `${text} ago`);
  const distance = Math.abs(seconds);
  if (distance < 10) return 'just now';
  if (distance < 60) return ago(`${distance} s`);
  if (distance < 3600) return ago(`${Math.floor(distance / 60)} min`);
  if (distance < 86_400) return ago(`${Math.floor(distance / 3600)} h`);
  return DAY.format(time);
}

// Date and time where the reader is, with the zone's name, and in UTC.
export function whenText(time: number): string {
  return `${MOMENT.format(time)} (${utcText(time)})`;
}

export function sizeText(bytes: number): string {
  return bytes >= 1 << 20
    ? `${Math.round(bytes / (1 << 20))} MiB`
    : `${Math.round(bytes / 1024)} KiB`;
}

export function utcText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

// "75", "7.5": points never need more than two digits.
export function pointsText(points: number): string {
  return String(Math.round(points * 100) / 100);
}

export function verdictText(verdict: Verdict): string {
  switch (verdict) {
    case Verdict.PASSED:
      return 'passed';
    case Verdict.FAILED:
      return 'failed';
    case Verdict.TIMED_OUT:
      return 'timed out';
    case Verdict.SKIPPED:
      return 'skipped';
    case Verdict.INCONCLUSIVE:
      return 'inconclusive';
    case Verdict.ERRORED:
      return 'our fault';
    case Verdict.UNSPECIFIED:
      return 'waiting';
  }
}

export function kindText(kind: Run_Kind): string {
  switch (kind) {
    case Run_Kind.PUSH:
      return 'push';
    case Run_Kind.FINAL:
      return 'final';
    case Run_Kind.REGRADE:
      return 'regrade';
    case Run_Kind.REFERENCE:
      return 'reference';
    case Run_Kind.UNSPECIFIED:
      return '';
  }
}

// How a run is, in a word or two, and in which colour.
export function runWord(run: Run): { text: string; tone: Tone } {
  switch (run.state) {
    case Run_State.QUEUED:
      return { text: queuedText(run.queuePosition), tone: 'waiting' };
    case Run_State.RUNNING:
      return { text: 'running', tone: 'running' };
    case Run_State.SUPERSEDED:
      return { text: 'superseded', tone: 'muted' };
    case Run_State.FINISHED:
      return { text: outcomeText(run.outcome), tone: outcomeTone(run) };
    case Run_State.UNSPECIFIED:
      return { text: '', tone: 'muted' };
  }
}

export type Tone = 'good' | 'bad' | 'warn' | 'running' | 'waiting' | 'muted';

function queuedText(position: number): string {
  return position > 0 ? `queued, ${position} ahead` : 'queued';
}

function outcomeTone(run: Run): Tone {
  if (run.outcome === Run_Outcome.CANCELLED) return 'muted';
  if (run.outcome === Run_Outcome.ERRORED) return 'warn';
  if (run.outcome !== Run_Outcome.COMPLETED) return 'bad';
  return run.score && run.score.earned >= run.score.max ? 'good' : 'warn';
}

function outcomeText(outcome: Run_Outcome): string {
  switch (outcome) {
    case Run_Outcome.COMPLETED:
      return 'completed';
    case Run_Outcome.BUILD_FAILED:
      return 'build failed';
    case Run_Outcome.NEVER_READY:
      return 'never ready';
    case Run_Outcome.SERVICE_CRASHED:
      return 'service crashed';
    case Run_Outcome.OUT_OF_MEMORY:
      return 'out of memory';
    case Run_Outcome.TIMED_OUT:
      return 'timed out';
    case Run_Outcome.ERRORED:
      return 'our fault';
    case Run_Outcome.CANCELLED:
      return 'cancelled';
    case Run_Outcome.UNSPECIFIED:
      return 'finished';
  }
}

// "1 check", "2 checks".
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

// How large a suite is.
export function suiteText(of: { checkCount: number; maxPoints: number }) {
  const points = pointsText(of.maxPoints);
  return `${countText(of.checkCount, 'check')}, ${points} ${points === '1' ? 'point' : 'points'}`;
}
