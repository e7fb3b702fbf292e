import { SOON, within } from './within.mjs';

/** What arrived, in order, for a reader that may come before or after it. */
export class Queue {
  /** Everything that arrived, read or not. */
  all = [];
  #read = 0;
  #waiting = [];
  #end = null;

  constructor(name) {
    this.name = name;
  }

  push(item) {
    this.all.push(item);
    this.#wake();
  }

  /** After this nothing arrives: readers that wait fail with `reason`. */
  end(reason) {
    this.#end ??= new Error(`${this.name}: ${reason}`);
    this.#wake();
  }

  /** The next one that was not read yet. */
  next(ms = SOON) {
    return within(ms, this.#take(), `the next of ${this.name}`);
  }

  /** The next `count` of them. */
  async take(count, ms = SOON) {
    const items = [];
    while (items.length < count) items.push(await this.next(ms));
    return items;
  }

  /**
   * All before `last`, which is read and dropped.
   * Between one sender and one receiver there is one order, so what was not here before `last` was never sent.
   */
  async before(last, ms = SOON) {
    const items = [];
    for (;;) {
      const item = await this.next(ms);
      if (item === last) return items;
      items.push(item);
    }
  }

  async #take() {
    while (this.#read === this.all.length) {
      if (this.#end) throw this.#end;
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
    return this.all[this.#read++];
  }

  #wake() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
