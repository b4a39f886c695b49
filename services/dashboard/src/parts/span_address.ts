// Where a span of a run is shown: an address that can be sent to others.
export function spanAddress(run: string, span: string): string {
  return `/${run}?tab=trace&span=${span}`;
}
