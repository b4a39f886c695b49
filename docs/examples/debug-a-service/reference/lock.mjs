// Runs one piece of work after the other, in the order in which they came.
export class Lock {
  #last = Promise.resolve();

  run(work) {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
