import { useEffect, useEffectEvent, useState } from 'react';

import { type Connection, follow, type FollowOptions } from '../rpc/follow';

// Follows a stream while the component is shown, and says how it goes.
export function useFollow<T>(
  options: Pick<FollowOptions<T>, 'open' | 'onMessage' | 'ends'>,
): Connection {
  const [connection, setConnection] = useState<Connection>({
    state: 'connecting',
  });
  const open = useEffectEvent(options.open);
  const onMessage = useEffectEvent(options.onMessage);
  const ends = options.ends;
  useEffect(() => {
    const stop = new AbortController();
    void follow<T>({
      open: (signal) => open(signal),
      onMessage: (message) => onMessage(message),
      onConnection: (next) =>
        setConnection((now) => (now.state === next.state ? now : next)),
      ends,
      signal: stop.signal,
    });
    return () => stop.abort();
  }, [ends]);
  return connection;
}
