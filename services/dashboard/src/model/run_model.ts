// One run as the page shows it, built from its event stream.

import { type CheckResult } from '../gen/assay/v1/check_pb';
import {
  type Run,
  type RunEvent,
  type Run_Outcome,
  Run_State,
} from '../gen/assay/v1/run_pb';
import type { WatchRunResponse } from '../gen/assay/v1/run_service_pb';
import { LogStream } from './log_stream';
import { millis } from './format';
import { TraceSpans } from './trace_span';

export interface Phase {
  name: string;
  startedAt: number | null;
  finishedAt: number | null;
  ok: boolean | null;
  reason: string;
}

// A check that has started and has no result yet.
export interface PendingCheck {
  id: string;
  title: string;
  hidden: boolean;
}

// Mutable, with a `version` that grows with each change: a run brings thousands
// of events, and copying the state for each would cost more than showing it.
export class RunModel {
  version = 0;
  run: Run | null = null;
  readonly phases: Phase[] = [];
  readonly checks = new Map<string, CheckResult>();
  readonly logs = new Map<string, LogStream>();
  readonly spans = new TraceSpans();
  // They are on their way, and none is here yet.
  awaitsSpans = false;
  pending: PendingCheck | null = null;
  droppedSpans = 0;
  // The last event that was taken in; where a reconnect goes on.
  sequence = 0n;
  #epoch = 0n;
  // Streams that have not ended.
  readonly #open = new Set<string>();
  // A finished run's history is told again from the start: its states then are
  // not its state now.
  #settled = false;

  apply(response: WatchRunResponse) {
    const { content } = response;
    if (content.case === 'snapshot') {
      this.takeSnapshot(content.value, response.snapshotSequence);
    } else if (content.case === 'event') {
      this.takeEvent(content.value);
    }
  }

  takeSnapshot(run: Run, sequence = 0n) {
    this.run = run;
    this.#settled = this.finished;
    for (const check of run.checks) this.checks.set(check.checkId, check);
    if (sequence > this.sequence) this.sequence = sequence;
    this.version++;
  }

  takeEvent(event: RunEvent) {
    if (event.sequence <= this.sequence) return;
    this.sequence = event.sequence;
    this.version++;
    if (event.epoch > this.#epoch) this.#startEpoch(event.epoch);
    const time = millis(event.time);
    const { event: content } = event;
    switch (content.case) {
      case 'phaseStarted':
        this.phases.push({
          name: content.value.phase,
          startedAt: time,
          finishedAt: null,
          ok: null,
          reason: '',
        });
        break;
      case 'phaseFinished': {
        const { phase, ok, reason } = content.value;
        const open = this.phases.findLast((each) => each.name === phase);
        if (open) Object.assign(open, { finishedAt: time, ok, reason });
        break;
      }
      case 'log': {
        const { stream, offset, content: bytes } = content.value;
        this.#log(stream).append(offset, bytes, time);
        if (content.value.truncated) {
          this.#log(stream).note =
            'The output was cut here: it reached its limit.';
        }
        if (content.value.end) this.#open.delete(stream);
        else this.#open.add(stream);
        break;
      }
      case 'checkStarted': {
        const { checkId, title, hidden } = content.value;
        this.pending = { id: checkId, title, hidden };
        break;
      }
      case 'checkFinished': {
        const { result } = content.value;
        if (!result) break;
        this.checks.set(result.checkId, result);
        if (this.pending?.id === result.checkId) this.pending = null;
        break;
      }
      case 'spans':
        for (const span of content.value.spans) this.spans.add(span);
        this.droppedSpans += Number(content.value.dropped);
        break;
      case 'finished':
        this.pending = null;
        this.#open.clear();
        this.#change({
          outcome: content.value.outcome,
          outcomeReason: content.value.reason,
        });
        break;
      case 'stateChanged': {
        const { state, queuePosition, score } = content.value;
        if (state !== Run_State.RUNNING) this.#breakOff();
        this.#change({ state, queuePosition, ...(score && { score }) });
        break;
      }
      case 'gap':
      case undefined:
        break;
    }
  }

  // All spans of a run that has ended. Those that came before are met again.
  async takeAllSpans(batches: AsyncIterable<{ events: Uint8Array[] }>) {
    this.awaitsSpans = this.spans.size === 0;
    let dropped = 0;
    for await (const { events } of batches) {
      for (const event of events) dropped += this.spans.addEvent(event);
    }
    this.droppedSpans = dropped;
    this.awaitsSpans = false;
    this.version++;
  }

  get finished(): boolean {
    return (
      this.run?.state === Run_State.FINISHED ||
      this.run?.state === Run_State.SUPERSEDED
    );
  }

  // The worker is gone without a last word.
  #breakOff() {
    for (const stream of this.#open) {
      const log = this.#log(stream);
      log.note = `The record is incomplete: it ends after ${log.bytes} bytes.`;
    }
    this.#open.clear();
  }

  // A new lease starts the run again: what the lost one said is void.
  #startEpoch(epoch: bigint) {
    if (this.#epoch > 0n) {
      this.phases.length = 0;
      this.checks.clear();
      this.logs.clear();
      this.#open.clear();
      this.spans.clear();
      this.droppedSpans = 0;
      this.pending = null;
    }
    this.#epoch = epoch;
  }

  #log(name: string): LogStream {
    let log = this.logs.get(name);
    if (!log) this.logs.set(name, (log = new LogStream()));
    return log;
  }

  #change(
    fields: Partial<{
      state: Run_State;
      queuePosition: number;
      score: Run['score'];
      outcome: Run_Outcome;
      outcomeReason: string;
    }>,
  ) {
    if (this.#settled || !this.run) return;
    this.run = { ...this.run, ...fields };
  }
}
