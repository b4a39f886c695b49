import type { Timestamp } from '@bufbuild/protobuf/wkt';

import { millis, relativeText, utcText } from '../model/format';

// A time as its distance from now, with the exact one on hover.
export function Time({ at, now }: { at?: Timestamp; now: number }) {
  const time = millis(at);
  if (time === null) return <span className="muted">–</span>;
  const local = new Date(time).toLocaleString();
  return (
    <time
      dateTime={new Date(time).toISOString()}
      title={`${local}\n${utcText(time)}`}
    >
      {relativeText(time, now)}
    </time>
  );
}
