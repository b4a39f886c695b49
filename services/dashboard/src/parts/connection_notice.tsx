import { relativeText } from '../model/format';
import { sentence } from '../rpc/client';
import type { Connection } from '../rpc/follow';
import { useNow } from './use_now';

// Says when what is shown may no longer be true. Silent while it is.
export function ConnectionNotice({ connection }: { connection: Connection }) {
  const now = useNow(connection.state === 'stale' ? 1000 : 0);
  let text = '';
  if (connection.state === 'stale') {
    const since = relativeText(
      connection.since,
      Math.max(now, connection.since),
    );
    text = `Not connected. This is how it was ${since}; trying again.`;
  } else if (connection.state === 'failed') {
    text = sentence(connection.error);
  }
  return (
    <p className={text ? 'notice warn' : 'visually-hidden'} role="status">
      {text}
    </p>
  );
}

export function LiveMark({ connection }: { connection: Connection }) {
  switch (connection.state) {
    case 'live':
      return <span className="live-mark">live</span>;
    case 'connecting':
      return <span className="live-mark off">connecting</span>;
    case 'stale':
      return <span className="live-mark off">stale</span>;
    case 'complete':
    case 'failed':
      return null;
  }
}
