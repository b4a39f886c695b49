// Lines of people to invite, as they are pasted: without a header, and with a
// third field only where somebody needs more time.

export function hasHeader(csv: string): boolean {
  const first = csv.split('\n', 1)[0]!.toLowerCase();
  return /\bemail\b/.test(first) && !first.includes('@');
}

// The same as a file with a header and as many fields in each line.
export function withHeader(csv: string): string {
  if (hasHeader(csv)) return csv;
  const lines = csv.trimEnd().split(/\r?\n/);
  const wide = lines.some((line) => fieldCount(line) > 2);
  const padded = lines.map((line) =>
    wide && fieldCount(line) === 2 ? `${line},` : line,
  );
  const header = wide ? 'name,email,accommodation' : 'name,email';
  return [header, ...padded, ''].join('\n');
}

// Commas between quotes separate nothing.
function fieldCount(line: string): number {
  return line.replaceAll(/"(?:[^"]|"")*"/g, '').split(',').length;
}
