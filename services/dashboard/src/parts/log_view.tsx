import { useState } from 'react';

import type { LogStream } from '../model/log_stream';
import { goTo, useAddress } from '../router';
import { Empty } from './empty';
import { LogLines } from './log_lines';
import { LogSearch } from './log_search';
import { saveFile } from './save_file';
import { useLogSearch } from './use_log_search';

interface Props {
  logs: ReadonlyMap<string, LogStream>;
  running: boolean;
  // Why there is nothing, where that is known.
  why: string;
}

// The address names the output and a line, so that both can be sent to others.
export function LogView({ logs, running, why }: Props) {
  const { pathname, searchParams } = useAddress();
  const names = [...logs.keys()];
  // The service's own output is what one comes for, once there is some; until
  // then the build's.
  const wanted = ['service', 'build'].find((each) => names.includes(each));
  const fallback = wanted ?? names[0] ?? '';
  const asked = searchParams.get('output') ?? '';
  const name = logs.has(asked) ? asked : fallback;
  const log = logs.get(name);
  if (!log) {
    return (
      <Empty title={running ? 'No output so far' : 'This run wrote nothing'}>
        {why && <p>{why}</p>}
        <p>What the build, the service and its sidecars write appears here.</p>
      </Empty>
    );
  }
  const addressOf = (output: string, line?: number) =>
    `${pathname}?tab=log&output=${encodeURIComponent(output)}` +
    (line === undefined ? '' : `&line=${line + 1}`);
  const marked = Number(searchParams.get('line') ?? 0) - 1;
  return (
    <Output
      key={name}
      name={name}
      names={names}
      log={log}
      marked={marked}
      addressOf={addressOf}
    />
  );
}

interface OutputProps {
  name: string;
  names: string[];
  log: LogStream;
  // The line that the address names, from 0; -1 for none.
  marked: number;
  addressOf: (output: string, line?: number) => string;
}

function Output(props: OutputProps) {
  const { name, names, log, marked, addressOf } = props;
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const [following, setFollowing] = useState(marked < 0);
  const found = useLogSearch(log, query);
  const shown = found[Math.min(at, found.length - 1)];
  const step = (by: number) => {
    if (found.length === 0) return;
    setFollowing(false);
    setAt((Math.min(at, found.length - 1) + by + found.length) % found.length);
  };
  const save = () => saveFile(`${name}.log`, log.asFile());
  return (
    <>
      <div className="log-head">
        <label>
          Output of{' '}
          <select
            value={name}
            onChange={(event) => goTo(addressOf(event.target.value), 'replace')}
          >
            {names.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <LogSearch
          query={query}
          onQuery={(next) => {
            setQuery(next);
            setAt(0);
            if (next) setFollowing(false);
          }}
          onStep={step}
          position={found.length ? Math.min(at, found.length - 1) + 1 : 0}
          found={found.length}
        />
        <span className="muted">
          {log.count} {log.count === 1 ? 'line' : 'lines'}
        </span>
        <span className="log-tools">
          <button
            type="button"
            className="quiet"
            aria-pressed={following}
            onClick={() => setFollowing(!following)}
          >
            Follow
          </button>
          <button type="button" className="quiet" onClick={save}>
            Download
          </button>
        </span>
      </div>
      <LogLines
        log={log}
        count={log.count}
        query={query}
        shown={shown ?? marked}
        marked={marked}
        following={following}
        onFollow={setFollowing}
        addressOf={(line) => addressOf(name, line)}
      />
      {log.note && <p className="notice warn">{log.note}</p>}
      {log.odd && (
        <p className="notice warn">
          Some of its bytes are no UTF-8, and shown as �. The download has them
          as they were written.
        </p>
      )}
    </>
  );
}
