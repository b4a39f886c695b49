// Milliseconds: no browser's animation of a key or a wheel takes as long.
const LONGEST = 1000;

// Keys and wheels scroll a box in an animation, which goes on beneath whatever
// the page does meanwhile: it leads away again from a place that was gone to.
export class Momentum {
  #going = false;
  #held = false;
  #timer = 0;
  #frame = 0;
  #onRest = () => {};

  // Tells when whatever was going on is over.
  listen(onRest: () => void) {
    this.#onRest = onRest;
  }

  // A key or a wheel scrolls, as far as somebody wants.
  begin() {
    this.stop();
    this.#going = true;
    this.#timer = window.setTimeout(() => {
      // What the animation did last is told with the next frame.
      this.#frame = requestAnimationFrame(() => {
        this.stop();
        this.#onRest();
      });
    }, LONGEST);
  }

  // It does scroll.
  goOn() {
    if (this.#going && !this.#held) this.begin();
  }

  // A place was gone to: it is held against what goes on.
  hold() {
    this.#held = this.#going;
  }

  stop() {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#going = this.#held = false;
  }

  // An animation may be on its way.
  get going(): boolean {
    return this.#going;
  }

  // A scroll that is heard of now is one that nobody wants any longer.
  get held(): boolean {
    return this.#held;
  }
}

const KEYS = new Set([
  ...['PageUp', 'PageDown', 'Home', 'End', ' '],
  ...['ArrowUp', 'ArrowDown'],
]);

// Whether a key's own effect is to scroll the box that it is pressed in.
export function scrolls(event: KeyboardEvent): boolean {
  const { target } = event;
  return (
    KEYS.has(event.key) &&
    !event.defaultPrevented &&
    target instanceof HTMLElement &&
    !target.closest('input, select, textarea, button, summary')
  );
}

// Which end of the box the key leads to, if it does.
export function endOf(event: KeyboardEvent): 'first' | 'last' | null {
  if (event.shiftKey || event.altKey) return null;
  if (event.key === 'Home') return 'first';
  if (event.key === 'End') return 'last';
  if (!event.metaKey) return null;
  if (event.key === 'ArrowUp') return 'first';
  return event.key === 'ArrowDown' ? 'last' : null;
}
