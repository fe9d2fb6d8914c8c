// Ended spans that wait for the end of another one, because only that will say which agent they belong to.
// So many wait at most, and so long; then they go on with what is known.

/** @typedef {import("./lineage.js").Node} Node */
/** @typedef {import("@opentelemetry/sdk-trace-base").ReadableSpan} ReadableSpan */

const MOST = 2048;
const LONGEST_MS = 30_000;

/** Spans by the node that they wait for. `letGo` is called when the first of them has waited too long. */
export class Held {
  /** @type {Map<Node, [ReadableSpan, Node][]>} */
  #waiting = new Map();
  #count = 0;
  #letGo;
  #longest;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {() => void} letGo
   * @param {number} longest milliseconds
   */
  constructor(letGo, longest = LONGEST_MS) {
    this.#letGo = letGo;
    this.#longest = longest;
  }

  /**
   * Keep a span until a node ends. False where it cannot wait.
   * @param {ReadableSpan} span
   * @param {Node} node
   * @param {Node} until
   */
  hold(span, node, until) {
    if (until.endedAt || this.#count >= MOST) return false;
    const waiting = this.#waiting.get(until);
    if (waiting === undefined) this.#waiting.set(until, [[span, node]]);
    else waiting.push([span, node]);
    this.#count++;
    if (this.#timer === undefined) {
      this.#timer = setTimeout(this.#letGo, this.#longest);
      // A program that is done must not wait for this.
      /** @type {{ unref?: () => void }} */ (/** @type {unknown} */ (this.#timer)).unref?.();
    }
    return true;
  }

  /**
   * Take what waited for a node that has ended.
   * @param {Node} node
   */
  releasedBy(node) {
    if (this.#count === 0) return [];
    const released = this.#waiting.get(node) ?? [];
    this.#waiting.delete(node);
    this.#forget(released.length);
    return released;
  }

  /** Take everything. */
  all() {
    const released = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    this.#forget(released.length);
    return released;
  }

  /** @param {number} count */
  #forget(count) {
    this.#count -= count;
    if (this.#count === 0 && this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }
}
