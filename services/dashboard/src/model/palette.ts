// Which of many pages are meant by a few letters.

export interface Command {
  label: string;
  to: string;
}

// Those whose label has the letters in order; words that begin so come first.
export function rank(commands: readonly Command[], typed: string): Command[] {
  const wanted = typed.toLowerCase().replaceAll(/\s+/g, '');
  return commands
    .map((command) => ({ command, cost: costOf(command.label, wanted) }))
    .filter(({ cost }) => cost < Infinity)
    .sort((a, b) => a.cost - b.cost)
    .map(({ command }) => command);
}

// Letters that are skipped cost one each, but none where a word ends.
function costOf(label: string, wanted: string): number {
  const text = label.toLowerCase();
  let cost = 0;
  let from = 0;
  for (const letter of wanted) {
    const start = text.indexOf(` ${letter}`, Math.max(0, from - 1));
    const next = text.indexOf(letter, from);
    if (next < 0) return Infinity;
    if (next === from) {
      from = next + 1;
    } else if (start >= 0) {
      cost += 0.5;
      from = start + 2;
    } else {
      cost += next - from;
      from = next + 1;
    }
  }
  return cost + label.length / 1000;
}
