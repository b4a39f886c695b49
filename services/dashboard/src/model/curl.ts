// A request of a trace as a command that repeats it.

import type { Span } from '../gen/assay/otlp/v1/trace_pb';

// What curl or the other side sets by itself, and what ties a request to the
// run that it was of.
const NOT_REPEATED = new Set([
  'connection',
  'content-length',
  'host',
  'traceparent',
  'tracestate',
  'transfer-encoding',
]);

// Empty for a span that is no request. The address is a variable: where the
// service runs for whoever repeats it is theirs to know; and so is what the
// record leaves out.
export function curlCommand(span: Span): string {
  const method = textOf(span, 'http.request.method');
  const path = textOf(span, 'url.path');
  if (!method || !path.startsWith('/')) return '';
  const query = textOf(span, 'url.query');
  const address = path + (query && `?${query}`);
  const { headers, body } = messageOf(textOf(span, 'assay.http.request'));
  const fields = headers.some(
    ([name, value]) => name === 'content-type' && value === MULTIPART,
  );
  const words = ['curl -i'];
  if (method === 'HEAD') words.push('--head');
  else if (method !== 'GET' || body !== '') words.push(`-X ${quoted(method)}`);
  // As it was sent: not tidied up, and without a meaning of brackets.
  if (/\/\.\.?(\/|$)/.test(path)) words.push('--path-as-is');
  if (/[[\]{}]/.test(address)) words.push('--globoff');
  for (const [name, value] of headers) {
    if (NOT_REPEATED.has(name) || (fields && name === 'content-type')) continue;
    words.push(`-H ${headerWord(name, value)}`);
  }
  if (fields) {
    for (const line of body.split('\n').filter(Boolean)) {
      // “=” before a value that a form field may hold.
      const way = /^[^=]*=@/.test(line) ? '-F' : '--form-string';
      words.push(`${way} ${quoted(line)}`);
    }
  } else if (body !== '') {
    if (!headers.some(([name]) => name === 'content-type')) {
      words.push("-H 'content-type:'");
    }
    words.push(
      isWhole(body)
        ? `--data-raw ${quoted(body)}`
        : '--data-binary @"$BODY_FILE"',
    );
  }
  words.push(`"$SERVICE"${quoted(address)}`);
  return words.join(' ');
}

const MULTIPART = 'multipart/form-data';

export interface Message {
  headers: [name: string, value: string][];
  body: string;
}

// Header lines, an empty line and the beginning of the body.
export function messageOf(text: string): Message {
  // Without headers, the empty line comes first.
  const end = text.startsWith('\n') ? 0 : text.indexOf('\n\n') + 1;
  const bare = end === 0 && !text.startsWith('\n');
  const head = bare ? text : text.slice(0, end);
  const headers = head.split('\n').flatMap((line): Message['headers'] => {
    const colon = line.indexOf(':');
    return colon < 0
      ? []
      : [[line.slice(0, colon), line.slice(colon + 1).trim()]];
  });
  return { headers, body: bare ? '' : text.slice(end + 1) };
}

function isWhole(body: string): boolean {
  return !/(\n\(and \d+ bytes more\)|^\(\d+ bytes, not text\))$/.test(body);
}

// A credential is named in the record and left out of it.
function headerWord(name: string, value: string): string {
  if (value === '') return quoted(`${name};`);
  if (value !== '[hidden]') return quoted(`${name}: ${value}`);
  const variable = name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
  return `${quoted(`${name}: `)}"$${variable}"`;
}

// As it was sent, and not as it is shown.
function textOf(span: Span, key: string): string {
  const found = span.attributes.find((each) => each.key === key)?.value?.value;
  return found?.case === 'stringValue' ? found.value : '';
}

// For a shell. Nothing in single quotes means anything to it; what a terminal
// would not show as it is stands in the quotes that bash and others read
// escapes in.
function quoted(text: string): string {
  // eslint-disable-next-line no-control-regex
  const plain = !/[\x00-\x09\x0b-\x1f\x7f-\x9f\p{Cf}]/u.test(text);
  if (plain) return `'${text.replaceAll("'", `'\\''`)}'`;
  let out = '';
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    out += /[A-Za-z0-9 !#-&(-/:-@[\]^_`{-~]/.test(character)
      ? character
      : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `$'${out}'`;
}
