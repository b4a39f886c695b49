// The shop's auditors want a line for every movement. The real thing writes to
// a disk far away; this one takes as long.

const WRITE_MILLISECONDS = 3;

export function audit(line) {
  return new Promise((resolve) => setTimeout(resolve, WRITE_MILLISECONDS));
}
