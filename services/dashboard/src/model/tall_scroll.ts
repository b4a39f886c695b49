// Scrolling over more than an element may be high. Browsers cap heights, some
// at 17 million pixels, which a million lines of an output exceed.

// Where pixels are still told apart when they are drawn.
export const TALLEST = 8_000_000;

// Keeps where a box stands in a list of `total` pixels, while the box itself
// scrolls over no more than `TALLEST`. Steps of a wheel or of keys move the list
// by as much; a jump, such as of the scroll bar's thumb, by its share.
export class TallScroll {
  // Pixels of the list above the box.
  top = 0;
  #total = 0;
  #view = 0;
  // Where the box was scrolled to.
  #at = 0;

  // What is scrolled over.
  get height(): number {
    return Math.min(this.#total, TALLEST);
  }

  // How much further down the list stands than the box is scrolled.
  get shift(): number {
    return this.top - this.#at;
  }

  // Where the box was put, whatever has moved it since.
  get stays(): number {
    return this.#at;
  }

  // The list is higher than what is scrolled over.
  get scaled(): boolean {
    return this.#total > TALLEST;
  }

  // Pixels of the list below the box.
  get left(): number {
    return this.#furthest - this.top;
  }

  // Takes the sizes. Answers where the box is to be scrolled to so that it shows
  // what it did; where it is, if there is no need.
  resize(total: number, view: number): number {
    const grew = total !== this.#total;
    this.#total = total;
    this.#view = view;
    this.top = Math.min(this.top, this.#furthest);
    if (!this.scaled) return (this.#at = this.top);
    return grew ? this.#settle() : this.#at;
  }

  // The box was scrolled by somebody. Answers as `resize` does.
  scrolled(at: number): number {
    const by = at - this.#at;
    this.#at = at;
    if (!this.scaled) {
      this.top = at;
      return at;
    }
    const atEnd = at <= 0 || at >= this.height - this.#view;
    if (Math.abs(by) > JUMP * this.#view) {
      this.top = this.#share(at);
    } else {
      this.top = Math.min(this.#furthest, Math.max(0, this.top + by));
      if (atEnd) return this.#stopped(at);
    }
    return at;
  }

  // Goes to a place in the list. Answers as `resize` does.
  go(top: number): number {
    this.top = Math.round(Math.min(this.#furthest, Math.max(0, top)));
    return this.#settle();
  }

  // Nobody scrolls just now: the box goes where its thumb tells the truth.
  rest(): number {
    return this.#settle();
  }

  // The box cannot go on.
  #stopped(at: number): number {
    if (at <= 0 && this.top <= this.#slack) this.top = 0;
    if (at > 0 && this.left <= this.#slack) this.top = this.#furthest;
    return this.#settle();
  }

  get #furthest(): number {
    return Math.max(0, this.#total - this.#view);
  }

  #share(at: number): number {
    const part = at / Math.max(1, this.height - this.#view);
    return Math.round(Math.min(1, Math.max(0, part)) * this.#furthest);
  }

  #settle(): number {
    if (!this.scaled) return (this.#at = this.top);
    const part = this.top / Math.max(1, this.#furthest);
    const end = this.height - this.#view;
    const at = Math.max(
      Math.round(part * end),
      // Steps lead to both ends at once.
      Math.min(this.top, this.#slack),
    );
    return (this.#at = Math.min(at, end - Math.min(this.left, this.#slack)));
  }

  get #slack(): number {
    return SLACK * this.#view;
  }
}

// As shares of what is seen: a page by the keyboard is less than a jump, and
// from within the slack a jump leads to the end.
const JUMP = 3;
const SLACK = 4;
