import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { memo } from 'react';

import { millis, relativeText, utcText } from '../model/format';

// A time as its distance from now, with the exact one on hover.
export function Time({ at, now }: { at?: Timestamp; now: number }) {
  const time = millis(at);
  if (time === null) return <span className="muted">–</span>;
  return <Shown time={time} text={relativeText(time, now)} />;
}

const local = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'medium',
});

// Hundreds may stand on a page whose clock ticks: exact times are written out
// only where the text changes.
const Shown = memo(function Shown(props: { time: number; text: string }) {
  const { time, text } = props;
  return (
    <time
      dateTime={new Date(time).toISOString()}
      title={`${local.format(time)}\n${utcText(time)}`}
    >
      {text}
    </time>
  );
});
