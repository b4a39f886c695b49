// A request of a trace as a command that repeats it.

import type { Span } from '../gen/assay/otlp/v1/trace_pb';
import { attribute } from './trace_span';

// Empty for a span that is no request. The address is a variable: where the
// service runs for whoever repeats it is theirs to know.
export function curlCommand(span: Span): string {
  const method = attribute(span, 'http.request.method');
  const path = attribute(span, 'url.path');
  if (!method || !path.startsWith('/')) return '';
  const query = attribute(span, 'url.query');
  const address = path + (query && `?${query}`);
  const verb = method === 'GET' ? '' : ` -X ${quoted(method)}`;
  return `curl -i${verb} "$SERVICE"${quoted(address)}`;
}

// For a POSIX shell: nothing in single quotes means anything to it.
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
