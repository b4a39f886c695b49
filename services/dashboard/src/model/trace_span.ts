// The spans of a trace. Tens of thousands may come at once, and of most only
// what their row shows is ever looked at: the rest stays as it came.

import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

import {
  type AnyValue,
  AnyValueSchema,
  type KeyValue,
  KeyValueSchema,
} from '../gen/assay/otlp/v1/common_pb';
import {
  type Span,
  Span_SpanKind as Kind,
  SpanSchema,
  SpanStatus_StatusCode as StatusCode,
  SpanStatusSchema,
} from '../gen/assay/otlp/v1/trace_pb';
import { RunEvent_SpansSchema, RunEventSchema } from '../gen/assay/v1/run_pb';
import { cleanText } from './clean_text';

// Who was at work.
export type Lane = 'runner' | 'service' | 'database' | 'reported';

export interface TraceSpan {
  id: string;
  // Empty for a root.
  parent: string;
  // A statement says more than the name of its operation.
  name: string;
  lane: Lane;
  failed: boolean;
  // Whether it is the time in which a fault was at work.
  isFault: boolean;
  // Nanoseconds from the first span that came.
  start: number;
  end: number;
  readonly whole: Span;
  attribute: (...keys: string[]) => string;
}

// What decides a span's name and lane, of its attributes.
interface Facts {
  statement: string;
  system: string;
  source: string;
  fault: string;
}

const FACTS: Record<string, keyof Facts> = {
  'db.query.text': 'statement',
  'db.statement': 'statement',
  'db.system.name': 'system',
  'db.system': 'system',
  'assay.source': 'source',
  'assay.fault.action': 'fault',
};
const FACT_LENGTHS = new Set(Object.keys(FACTS).map((key) => key.length));

// All spans of a run by their ids.
export class TraceSpans {
  readonly #spans = new Map<string, TraceSpan>();
  // When the first one began, and that as two halves.
  #origin: bigint | null = null;
  #halves: [low: number, high: number] | null = null;

  get size(): number {
    return this.#spans.size;
  }

  values(): Iterable<TraceSpan> {
    return this.#spans.values();
  }

  clear() {
    this.#spans.clear();
    this.#origin = this.#halves = null;
  }

  add(span: Span) {
    const origin = (this.#origin ??= span.startTimeUnixNano);
    this.#halves ??= [Number(origin & 0xffff_ffffn), Number(origin >> 32n)];
    const id = hex(span.spanId);
    this.#spans.set(id, new ReadSpan(span, id, origin));
  }

  // Takes the spans of a serialised `RunEvent`; answers how many a quota dropped.
  addEvent(event: Uint8Array): number {
    let dropped = 0;
    const reader = new BinaryReader(event);
    for (const end of fields(reader, event.length, EVENT_SPANS)) {
      while (reader.pos < end) {
        const tag = reader.uint32();
        if (tag === SPANS_SPANS) {
          const length = reader.uint32();
          this.#read(reader, reader.pos + length, event);
        } else if (tag === SPANS_DROPPED) dropped += Number(reader.int64());
        else reader.skip(tag & 7, tag >>> 3);
      }
    }
    return dropped;
  }

  // The span that the reader stands before, up to `end`.
  #read(reader: BinaryReader, end: number, event: Uint8Array) {
    const start = reader.pos;
    const facts: Facts = { statement: '', system: '', source: '', fault: '' };
    let [id, parent] = ['', ''];
    let nameAt = -1;
    let kind = Kind.UNSPECIFIED;
    let failed = false;
    // The halves of its times: a bigint for each would cost more.
    let [startLow, startHigh, endLow, endHigh] = [0, 0, 0, 0];
    while (reader.pos < end) {
      const tag = reader.uint32();
      switch (tag >>> 3) {
        case SPAN.spanId:
          id = hex(reader.bytes());
          break;
        case SPAN.parentSpanId:
          parent = hex(reader.bytes());
          break;
        case SPAN.name:
          nameAt = reader.pos;
          reader.skip(tag & 7, tag >>> 3);
          break;
        case SPAN.kind:
          kind = reader.int32();
          break;
        case SPAN.startTimeUnixNano:
          startLow = reader.fixed32();
          startHigh = reader.fixed32();
          break;
        case SPAN.endTimeUnixNano:
          endLow = reader.fixed32();
          endHigh = reader.fixed32();
          break;
        case SPAN.attributes: {
          const length = reader.uint32();
          takeFact(reader, reader.pos + length, facts);
          break;
        }
        case SPAN.status:
          failed = isError(reader.bytes());
          break;
        default:
          reader.skip(tag & 7, tag >>> 3);
      }
    }
    let name = facts.statement;
    if (!name && nameAt >= 0) {
      reader.pos = nameAt;
      name = cleanText(reader.string());
      reader.pos = end;
    }
    const [low, high] = (this.#halves ??= [startLow, startHigh]);
    this.#origin ??= (BigInt(high) << 32n) | BigInt(low);
    const span = new UnreadSpan(
      event.subarray(start, end),
      id,
      parent,
      name,
      laneOf(kind, facts),
      failed,
      facts.fault !== '',
      (startHigh - high) * 2 ** 32 + (startLow - low),
      (endHigh - high) * 2 ** 32 + (endLow - low),
    );
    this.#spans.set(id, span);
  }
}

export function traceSpans(spans: Iterable<Span>): TraceSpan[] {
  const all = new TraceSpans();
  for (const span of spans) all.add(span);
  return [...all.values()];
}

export function hex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 2) {
    text += HEX[((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)]!;
  }
  return bytes.length % 2 === 0 ? text : text.slice(0, -2);
}

// Of two bytes each: ids are made by the ten thousand.
const HEX = Array.from({ length: 65536 }, (_, pair) =>
  pair.toString(16).padStart(4, '0'),
);

// Where messages have what is read here, as the schemas number it.
const LENGTH_DELIMITED = Number(WireType.LengthDelimited);
const EVENT_SPANS = RunEventSchema.field.spans.number;
const SPANS_SPANS =
  (RunEvent_SpansSchema.field.spans.number << 3) | WireType.LengthDelimited;
const SPANS_DROPPED =
  (RunEvent_SpansSchema.field.dropped.number << 3) | WireType.Varint;
const SPAN = numbers(SpanSchema.field);
const STATUS_CODE = SpanStatusSchema.field.code.number;
const KEY = KeyValueSchema.field.key.number;
const STRING_VALUE =
  (AnyValueSchema.field.stringValue.number << 3) | WireType.LengthDelimited;
const VALUE = KeyValueSchema.field.value.number;

function numbers<Name extends string>(
  of: Record<Name, { number: number }>,
): Record<Name, number> {
  const entries = Object.entries<{ number: number }>(of);
  return Object.fromEntries(
    entries.map(([name, { number }]) => [name, number]),
  ) as Record<Name, number>;
}

// Walks over the length-delimited fields of that number which a message has up
// to `end`: the reader stands before the content, and the end of it is given.
function* fields(
  reader: BinaryReader,
  end: number,
  wanted: number,
): Generator<number> {
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === ((wanted << 3) | LENGTH_DELIMITED)) {
      const length = reader.uint32();
      const after = reader.pos + length;
      yield after;
      reader.pos = after;
    } else {
      reader.skip(tag & 7, tag >>> 3);
    }
  }
}

class ReadSpan implements TraceSpan {
  readonly parent: string;
  readonly name: string;
  readonly lane: Lane;
  readonly failed: boolean;
  readonly isFault: boolean;
  readonly start: number;
  readonly end: number;

  constructor(
    readonly whole: Span,
    readonly id: string,
    origin: bigint,
  ) {
    this.parent = hex(whole.parentSpanId);
    const facts = {
      statement: attribute(whole, 'db.query.text', 'db.statement'),
      system: attribute(whole, 'db.system.name', 'db.system'),
      source: attribute(whole, 'assay.source'),
      fault: attribute(whole, 'assay.fault.action'),
    };
    this.name = facts.statement || cleanText(whole.name);
    this.lane = laneOf(whole.kind, facts);
    this.failed = whole.status?.code === StatusCode.ERROR;
    this.isFault = facts.fault !== '';
    this.start = Number(whole.startTimeUnixNano - origin);
    this.end = Number(whole.endTimeUnixNano - origin);
  }

  attribute(...keys: string[]): string {
    return attribute(this.whole, ...keys);
  }
}

class UnreadSpan implements TraceSpan {
  #whole: Span | null = null;
  readonly #bytes: Uint8Array;

  constructor(
    bytes: Uint8Array,
    readonly id: string,
    readonly parent: string,
    readonly name: string,
    readonly lane: Lane,
    readonly failed: boolean,
    readonly isFault: boolean,
    readonly start: number,
    readonly end: number,
  ) {
    this.#bytes = bytes;
  }

  get whole(): Span {
    return (this.#whole ??= fromBinary(SpanSchema, this.#bytes));
  }

  attribute(...keys: string[]): string {
    if (this.#whole) return attribute(this.#whole, ...keys);
    const reader = new BinaryReader(this.#bytes);
    for (const key of keys) {
      reader.pos = 0;
      const all = fields(reader, this.#bytes.length, SPAN.attributes);
      for (const end of all) {
        const value = valueUnder(
          reader,
          end,
          (length) => length === key.length,
        );
        if (value?.[0] === key) return value[1];
      }
    }
    return '';
  }
}

function takeFact(reader: BinaryReader, end: number, facts: Facts) {
  const found = valueUnder(reader, end, (length) => FACT_LENGTHS.has(length));
  if (!found) return;
  const fact = FACTS[found[0]];
  if (fact && !facts[fact]) facts[fact] = found[1];
}

// Key and value of an attribute. Most keys are told apart by their length, and
// of those that are of no interest nothing is read. Leaves the reader at `end`.
function valueUnder(
  reader: BinaryReader,
  end: number,
  mayBe: (keyLength: number) => boolean,
): [key: string, value: string] | null {
  let key: string | null = null;
  let value = '';
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === KEY) {
      const start = reader.pos;
      if (!mayBe(reader.uint32())) break;
      reader.pos = start;
      key = reader.string();
    } else if (tag >>> 3 === VALUE) {
      value = valueText(reader);
    } else {
      reader.skip(tag & 7, tag >>> 3);
    }
  }
  reader.pos = end;
  return key === null ? null : [key, value];
}

// Nearly all values that are read are texts.
function valueText(reader: BinaryReader): string {
  const start = reader.pos;
  const end = reader.uint32() + reader.pos;
  if (reader.pos < end && reader.uint32() === STRING_VALUE) {
    const text = reader.string();
    if (reader.pos === end) return cleanText(text);
  }
  reader.pos = start;
  return attributeText(fromBinary(AnyValueSchema, reader.bytes()));
}

function isError(status: Uint8Array): boolean {
  const reader = new BinaryReader(status);
  let error = false;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === STATUS_CODE) {
      error = reader.int32() === Number(StatusCode.ERROR);
    } else {
      reader.skip(tag & 7, tag >>> 3);
    }
  }
  return error;
}

function laneOf(kind: Kind, facts: Facts): Lane {
  if (facts.source === 'reported') return 'reported';
  if (facts.system) return 'database';
  const http = kind === Kind.SERVER || kind === Kind.CLIENT;
  return http ? 'service' : 'runner';
}

export function attribute(span: Span, ...keys: string[]): string {
  for (const key of keys) {
    const found = span.attributes.find((each: KeyValue) => each.key === key);
    if (found) return attributeText(found.value);
  }
  return '';
}

export function attributeText(value?: AnyValue): string {
  const content = value?.value;
  switch (content?.case) {
    case 'stringValue':
      return cleanText(content.value);
    case 'boolValue':
    case 'intValue':
    case 'doubleValue':
      return String(content.value);
    case 'arrayValue':
      return `[${content.value.values.map(attributeText).join(', ')}]`;
    case 'kvlistValue':
      return `{${content.value.values
        .map((pair) => `${cleanText(pair.key)}: ${attributeText(pair.value)}`)
        .join(', ')}}`;
    case 'bytesValue':
      return `${content.value.length} bytes`;
    case undefined:
      return '';
  }
}
