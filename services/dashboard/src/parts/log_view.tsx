import { useEffectEvent, useLayoutEffect, useState } from 'react';

import type { LogStream } from '../model/log_stream';
import { Empty } from './empty';
import { useWindow } from './use_window';

const ROW = 19;

interface Props {
  logs: ReadonlyMap<string, LogStream>;
  running: boolean;
}

export function LogView({ logs, running }: Props) {
  const [chosen, setChosen] = useState('');
  const names = [...logs.keys()];
  // The service's own output is what one comes for, once there is some.
  const fallback = names.includes('service') ? 'service' : (names[0] ?? '');
  const name = logs.has(chosen) ? chosen : fallback;
  const log = logs.get(name);
  if (!log) {
    return (
      <Empty title={running ? 'No output so far' : 'This run wrote nothing'}>
        <p>What the build, the service and its sidecars write appears here.</p>
      </Empty>
    );
  }
  return (
    <>
      <div className="log-head">
        <label>
          Output of{' '}
          <select
            value={name}
            onChange={(event) => setChosen(event.target.value)}
          >
            {names.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <span className="muted">
          {log.lines.length} {log.lines.length === 1 ? 'line' : 'lines'}
        </span>
      </div>
      <Lines key={name} log={log} count={log.lines.length} />
      {log.note && <p className="notice warn">{log.note}</p>}
    </>
  );
}

function Lines({ log, count }: { log: LogStream; count: number }) {
  const { box, first, end, scrollTo } = useWindow(count, ROW);
  const [following, setFollowing] = useState(true);
  const toEnd = useEffectEvent(() => scrollTo(count - 1));
  useLayoutEffect(() => {
    if (following) toEnd();
  }, [count, following]);
  const onScroll = () => {
    const element = box.current!;
    const left =
      element.scrollHeight - element.scrollTop - element.clientHeight;
    setFollowing(left < ROW);
  };
  return (
    <div
      className="log"
      ref={box}
      onScroll={onScroll}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label="Output"
    >
      <div className="log-lines" style={{ height: count * ROW }}>
        <div style={{ transform: `translateY(${first * ROW}px)` }}>
          {log.lines.slice(first, end).map((line, i) => (
            <div className="log-line" key={first + i}>
              <span className="line-number">{first + i + 1}</span>
              {line}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
