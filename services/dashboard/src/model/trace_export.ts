// Spans as OTLP JSON, which other tools read. Not protobuf's own JSON: OTLP
// writes ids in hex and enums as numbers.

import type { AnyValue, KeyValue } from '../gen/assay/otlp/v1/common_pb';
import type { Span } from '../gen/assay/otlp/v1/trace_pb';
import { hex, type TraceSpan } from './trace_span';

export function otlpJson(spans: Iterable<TraceSpan>): string {
  const resource = { attributes: [named('service.name', 'assay')] };
  const scopeSpans = [
    {
      scope: { name: 'assay' },
      spans: Array.from(spans, ({ whole }) => spanJson(whole)),
    },
  ];
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] });
}

function named(key: string, value: string) {
  return { key, value: { stringValue: value } };
}

function spanJson(span: Span) {
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    ...(span.parentSpanId.length > 0 && {
      parentSpanId: hex(span.parentSpanId),
    }),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: String(span.startTimeUnixNano),
    endTimeUnixNano: String(span.endTimeUnixNano),
    attributes: span.attributes.map(pairJson),
    events: span.events.map((event) => ({
      timeUnixNano: String(event.timeUnixNano),
      name: event.name,
      attributes: event.attributes.map(pairJson),
    })),
    links: span.links.map((link) => ({
      traceId: hex(link.traceId),
      spanId: hex(link.spanId),
      attributes: link.attributes.map(pairJson),
    })),
    ...(span.status && {
      status: { code: span.status.code, message: span.status.message },
    }),
  };
}

function pairJson(pair: KeyValue) {
  return { key: pair.key, value: valueJson(pair.value) };
}

function valueJson(any?: AnyValue): unknown {
  const value = any?.value;
  switch (value?.case) {
    case 'stringValue':
    case 'boolValue':
    case 'doubleValue':
      return { [value.case]: value.value };
    case 'intValue':
      return { intValue: String(value.value) };
    case 'bytesValue':
      return { bytesValue: btoa(String.fromCharCode(...value.value)) };
    case 'arrayValue':
      return { arrayValue: { values: value.value.values.map(valueJson) } };
    case 'kvlistValue':
      return { kvlistValue: { values: value.value.values.map(pairJson) } };
    case undefined:
      return {};
  }
}
