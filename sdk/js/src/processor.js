// Hands an agent's name, prompt and graph down to the spans of its models and tools, in the agent's own process.
//
// OpenTelemetry attributes do not flow from parent to child, and a collector sees one span at a time. So spans are
// linked when they start, and when one ends it gets what its ancestors know by then; it is passed on as a copy with more
// attributes. What a framework says itself is never overwritten, but placeholders.

import { SpanKind, trace } from "@opentelemetry/api";
import { Role } from "./dialects.js";
import { Held } from "./held.js";
import { learnt, tell } from "./inside.js";
import { Node, inherited } from "./lineage.js";
import { asToolCall, waitsFor as requestWaitsFor } from "./mcp.js";
import { Attr } from "./names.js";
import { hasFailed, ofModel, ofTool } from "./retries.js";
import * as twice from "./twice.js";

/** @typedef {import("@opentelemetry/api").Attributes} Attributes */
/** @typedef {import("@opentelemetry/api").Context} Context */
/** @typedef {import("@opentelemetry/sdk-trace-base").ReadableSpan} ReadableSpan */
/** @typedef {import("@opentelemetry/sdk-trace-base").Span} Span */
/** @typedef {import("@opentelemetry/sdk-trace-base").SpanProcessor} SpanProcessor */

/**
 * Wraps the processor that exports: `new AgentContextProcessor(new BatchSpanProcessor(exporter))`.
 *
 * Spans that it cannot read pass unchanged: an error here costs an attribute, never a span or the program.
 * @implements {SpanProcessor}
 */
export class AgentContextProcessor {
  #inner;
  /** @type {WeakMap<object, Node>} */
  #nodes = new WeakMap();
  /** @type {Map<string, WeakRef<Node>>} Open spans: a parent may be given by its ids only. */
  #open = new Map();
  #sweepAt = 1024;
  #held;
  #told = false;

  /**
   * @param {SpanProcessor} inner
   * @param {{ longestWaitMs?: number }} [options] how long a span may wait for the name of its agent; 30 s
   */
  constructor(inner, options = {}) {
    this.#inner = inner;
    this.#held = new Held(() => this.#letGo(), options.longestWaitMs);
    // Passed on only where the inner one has it: the SDK looks whether it is there.
    if (typeof inner.onEnding === "function") this.onEnding = (/** @type {Span} */ span) => inner.onEnding?.(span);
  }

  /**
   * Link the span to its parent's.
   * @param {Span} span
   * @param {Context} parentContext
   */
  onStart(span, parentContext) {
    try {
      this.#link(span, parentContext);
    } catch (error) {
      this.#tell(error);
    }
    this.#inner.onStart(span, parentContext);
  }

  /**
   * Pass the span on with what its ancestors know, and what has waited for it.
   * @param {ReadableSpan} span
   */
  onEnd(span) {
    const node = this.#nodes.get(span);
    if (node === undefined) {
      this.#inner.onEnd(span);
      return;
    }
    let isNews = false;
    try {
      this.#open.delete(span.spanContext().spanId);
      isNews = node.end(span);
      tell(node, span);
    } catch (error) {
      this.#tell(error);
    }
    this.#pass(span, node, true);
    // In the order in which they ended, for a retry is known by the failed call before it.
    for (const [waiting, its] of isNews ? this.#held.all() : this.#held.releasedBy(node))
      this.#pass(waiting, its, true);
  }

  /** Let go what is held back, and flush the wrapped processor. */
  async forceFlush() {
    this.#letGo();
    await this.#inner.forceFlush();
  }

  /** Let go what is held back, and end the wrapped processor. */
  async shutdown() {
    this.#letGo();
    await this.#inner.shutdown();
  }

  #letGo() {
    for (const [span, node] of this.#held.all()) this.#pass(span, node, false);
  }

  /**
   * @param {ReadableSpan} span
   * @param {Node} node
   * @param {boolean} mayWait
   */
  #pass(span, node, mayWait) {
    let passed = span;
    try {
      const known = inherited(node, mayWait);
      const until = known.waitsFor ?? (node.role === Role.MCP ? requestWaitsFor(node) : undefined);
      if (mayWait && until !== undefined && this.#held.hold(span, node, until)) return;
      const values = known.waitsFor === undefined ? known.values : inherited(node, false).values;
      passed = enriched(span, node, values);
    } catch (error) {
      this.#tell(error);
    }
    this.#inner.onEnd(passed);
  }

  /**
   * @param {Span} span
   * @param {Context} context
   */
  #link(span, context) {
    const above = trace.getSpan(context);
    let parent = above === undefined ? undefined : this.#nodes.get(above);
    if (parent === undefined && span.parentSpanContext !== undefined) {
      parent = this.#open.get(span.parentSpanContext.spanId)?.deref();
    }
    const node = new Node(span, parent, context);
    this.#nodes.set(span, node);
    this.#open.set(span.spanContext().spanId, new WeakRef(node));
    if (this.#open.size > this.#sweepAt) this.#sweep();
  }

  /** Forget spans that never ended and are gone. */
  #sweep() {
    for (const [id, node] of this.#open) if (node.deref() === undefined) this.#open.delete(id);
    this.#sweepAt = Math.max(1024, 2 * this.#open.size);
  }

  /** @param {unknown} error */
  #tell(error) {
    if (this.#told) return;
    this.#told = true;
    console.warn(`agentobs: a span passes without its agent's name: ${error} (told once)`);
  }
}

/**
 * @param {ReadableSpan} span
 * @param {Node} node
 * @param {Attributes} known
 */
function enriched(span, node, known) {
  const { attributes } = node;
  /** @type {Attributes} */
  const added = {};
  let { kind } = span;
  let { role } = node;
  let isMore = false;
  for (const key in known) {
    if (attributes[key] === known[key] || (key === Attr.AGENT_NAME && role === Role.UNNAMED)) continue;
    added[key] = known[key];
    isMore = true;
  }
  /** @type {Attributes} */
  let more = {};
  if (role === Role.MCP) {
    const call = asToolCall(node, kind);
    if (call !== undefined) {
      Object.assign(added, call);
      [role, kind, isMore] = [Role.TOOL, SpanKind.INTERNAL, true];
    }
  }
  if (role === Role.TOOL) {
    more = { ...learnt(node), ...twice.tool(node) };
    if (more[Attr.OPERATION] === undefined) {
      const number = ofTool(node, span, String(known[Attr.AGENT_NAME] ?? ""), node.learnt !== "" || hasFailed(span));
      if (number !== undefined) more[Attr.RETRY_ATTEMPT] = number;
    }
  } else if (role === Role.MODEL) {
    more = twice.model(node);
    if (more[Attr.OPERATION] === undefined) {
      const number = ofModel(node, span, String(known[Attr.AGENT_NAME] ?? ""));
      if (number !== undefined) more = { ...more, [Attr.RETRY_ATTEMPT]: number };
    }
  } else if (role === Role.AGENT) more = twice.agent(node);
  for (const key in more) {
    added[key] = more[key];
    isMore = true;
  }
  return isMore ? withMore(span, added, kind) : span;
}

/** @type {WeakMap<object, boolean>} By what a span is made of: whether a copy of it works. */
const copyable = new WeakMap();

/**
 * An ended span with more attributes: a copy, as the program's own span and other exporters' must not change. Not
 * `Object.create(span)`: that a span becomes a prototype costs more than all the rest here.
 * @param {ReadableSpan} span
 * @param {Attributes} added
 * @param {SpanKind} kind
 * @returns {ReadableSpan}
 */
function withMore(span, added, kind) {
  const of = Object.getPrototypeOf(span);
  const copy = Object.assign(Object.create(of), span);
  copy.attributes = { ...span.attributes, ...added };
  copy.kind = kind;
  if (!copyable.has(of)) copyable.set(of, isWhole(copy, span));
  if (!copyable.get(of)) throw new Error("this OpenTelemetry SDK's spans cannot be copied");
  return copy;
}

/**
 * Whether a copy answers like its span: it does not where the SDK keeps things in private fields.
 * @param {ReadableSpan} copy
 * @param {ReadableSpan} span
 */
function isWhole(copy, span) {
  try {
    return (
      copy.spanContext().spanId === span.spanContext().spanId &&
      copy.name === span.name &&
      copy.endTime === span.endTime &&
      copy.status === span.status &&
      copy.resource === span.resource &&
      copy.duration[1] === span.duration[1] &&
      copy.ended === span.ended &&
      copy.droppedAttributesCount === span.droppedAttributesCount &&
      copy.droppedEventsCount === span.droppedEventsCount &&
      copy.droppedLinksCount === span.droppedLinksCount
    );
  } catch {
    return false;
  }
}
