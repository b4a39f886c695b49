import { useEffect, useRef, useState } from 'react';

import { RunModel } from '../model/run_model';
import { candidateClients, useClients } from '../rpc/client';
import type { Connection } from '../rpc/follow';
import { useFollow } from './use_follow';

// Every event from the first one on, rather than a snapshot.
const FROM_THE_START = -1n;
const LARGE_TRACE = 2000;

// Follows one run with everything that it has said so far.
export function useRun(name: string): {
  model: RunModel;
  version: number;
  connection: Connection;
} {
  const clients = useClients();
  const { runs, traces } = clients;
  const [model] = useState(() => new RunModel());
  const [version, setVersion] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);

  // Thousands of events may come at once. A large trace costs more to lay out
  // than a frame lasts, so it is drawn less often while it grows.
  const draw = (pause = model.spans.size > LARGE_TRACE ? 400 : 16) => {
    timer.current ??= setTimeout(() => {
      timer.current = null;
      setVersion(model.version);
    }, pause);
  };
  const clear = () => {
    if (timer.current) clearTimeout(timer.current);
    timer.current = null;
  };
  useEffect(() => clear, []);

  const connection = useFollow({
    open: async function* (signal: AbortSignal) {
      const { run } = await runs.getRun({ name }, { signal });
      if (run) model.takeSnapshot(run);
      draw();
      const afterSequence = model.sequence || FROM_THE_START;
      // Of a run that has ended the spans come at once, and not as they came.
      // Candidates get none.
      const withoutSpans = model.finished && clients !== candidateClients;
      const spans = withoutSpans
        ? model.takeAllSpans(traces.readSpans({ run: name }, { signal }))
        : null;
      // Awaited below; until then its failure is nobody's.
      spans?.catch(() => undefined);
      yield* runs.watchRun({ name, afterSequence, withoutSpans }, { signal });
      if (spans) {
        await spans;
      } else {
        // What was computed at the end, such as the score, is only here.
        const last = await runs.getRun({ name }, { signal });
        if (last.run) model.takeSnapshot(last.run);
      }
      clear();
      draw(0);
    },
    onMessage: (message) => {
      model.apply(message);
      draw();
    },
    ends: true,
  });
  return { model, version, connection };
}
