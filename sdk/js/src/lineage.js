// A span's ancestors in this process, and what it takes from them: agent, prompt, graph, workflow, track, conversation.
//
// Linked when a span starts, read when one ends: an ancestor's attributes are looked at as they are then, because some
// frameworks say who the agent is only after the span has started, or at its end.

import { propagation } from "@opentelemetry/api";
import { Role, agentOf, learn, meanwhile, metadataAtEnd, metadataOf, roleOf, settledRole } from "./dialects.js";
import { Attr } from "./names.js";

/** @typedef {import("@opentelemetry/api").AttributeValue} AttributeValue */
/** @typedef {import("@opentelemetry/api").Attributes} Attributes */
/** @typedef {import("@opentelemetry/api").Baggage} Baggage */
/** @typedef {import("@opentelemetry/api").Context} Context */
/** @typedef {import("@opentelemetry/sdk-trace-base").ReadableSpan} ReadableSpan */
/** @typedef {import("./dialects.js").RoleName} RoleName */

const OF_THE_RUN = [Attr.GRAPH_VERSION, Attr.TRACK, Attr.RELEASE, Attr.WORKFLOW_NAME, Attr.CONVERSATION_ID];
/** The prompt is one agent's; a nested agent does not take it over. */
const PROMPT = [Attr.PROMPT_NAME, Attr.PROMPT_VERSION];
const OF_THE_AGENT = [...PROMPT, ...OF_THE_RUN];
const IN_BAGGAGE = [Attr.AGENT_NAME, ...OF_THE_AGENT];
/** Ancestors that are asked as they are now, up to twice as many; what those above said is kept. */
const FAR = 64;

/** @typedef {{ values: Record<string, AttributeValue>, waitsFor: Node | undefined }} Inherited */

/** Counts starts and ends: the clock of spans is coarser than their order. */
let moment = 0;

/** One span and its parent's node. What has ended keeps its attributes only. */
export class Node {
  /** @type {string | undefined} */
  #agent;
  /** @type {RoleName | undefined} */
  #role;
  /** @type {ReadableSpan | undefined} */
  #span;
  #name;
  /** @type {Node | undefined} */
  #topmost;

  /**
   * @param {ReadableSpan} span
   * @param {Node | undefined} parent
   * @param {Context} context
   */
  constructor(span, parent, context) {
    this.scope = span.instrumentationScope?.name ?? "";
    this.parent = parent;
    this.attributes = span.attributes;
    this.baggage = propagation.getBaggage(context);
    /** Baggage that was set between the parent's start and this span's; of a run's first span all of it. */
    this.around = setSince(parent?.baggage, this.baggage);
    this.metadata = metadataOf(this.scope, span.attributes);
    this.startedAt = ++moment;
    /** 0 while the span is open. */
    this.endedAt = 0;
    this.holdsAgent = false;
    this.learnt = "";
    /** @type {Attributes | undefined} */
    this.lent = undefined;
    /** @type {Map<string, import("./retries.js").Failed> | undefined} */
    this.failedCalls = undefined;
    /** @type {number} */
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.#topmost = parent?.topmost;
    /** @type {Node | undefined} The closest one, itself included, of each 64th ancestor. */
    this.post = parent?.post;
    /** @type {Record<"inside" | "outside", Inherited> | undefined} What its ancestors said when the next post began. */
    this.beyond = undefined;
    if (this.depth && this.depth % FAR === 0) {
      this.post?.lookBeyond();
      this.post = this;
    }
    this.#span = span;
    this.#name = span.name;
    /** The name at the start; Mastra's says more than the last one. */
    this.firstName = span.name;
  }

  /**
   * Take what is final; the live span is not asked any more. Whether others can be named now that could not before.
   * @param {ReadableSpan} span
   */
  end(span) {
    this.attributes = span.attributes;
    this.#name = span.name;
    this.#span = undefined;
    this.endedAt = ++moment;
    this.#role = roleOf(this.scope, this.#name, this.attributes);
    this.metadata ??= metadataAtEnd(this.scope, this.attributes, this.#isSubAgents());
    return learn(this.scope, this.firstName, this.attributes);
  }

  /** The span's name as it is now. */
  get name() {
    return this.#span !== undefined ? this.#span.name : this.#name;
  }

  /** What the span stands for, as far as it is known. */
  get role() {
    if (this.#role !== undefined) return this.#role;
    this.#role = settledRole(this.attributes);
    return this.#role ?? roleOf(this.scope, this.name, this.attributes);
  }

  /** The agent that the span itself names. What was said once stays. */
  get agent() {
    this.#agent ??= agentOf(this.scope, this.name, this.role, this.attributes);
    return this.#agent;
  }

  /** What an open agent's span that will say its name at its end is called until then. */
  get meanwhile() {
    return this.endedAt ? undefined : meanwhile(this.scope, this.firstName);
  }

  /** @returns {Node} The first span of this process that led to this one. */
  get topmost() {
    return this.#topmost ?? this;
  }

  /** Keep what the ancestors say now: it is passed on to spans far below, which do not ask them again. */
  lookBeyond() {
    const above = this.parent;
    if (above !== undefined)
      this.beyond = { inside: climb(above, true, true, false), outside: climb(above, true, false, false) };
  }

  /**
   * The closest ancestor of one of some roles, unless that is very far.
   * @param {...RoleName} roles
   */
  nearest(...roles) {
    let node = this.parent;
    const last = this.depth - 2 * FAR;
    while (node !== undefined && !roles.includes(node.role)) node = node.depth > last ? node.parent : undefined;
    return node;
  }

  #isSubAgents() {
    const agent = this.role === Role.AGENT ? this : this.nearest(Role.AGENT);
    return agent?.nearest(Role.AGENT) !== undefined;
  }
}

/**
 * What a span should carry by itself and its ancestors, and the open span that will tell its agent's name, if any.
 *
 * Order: the span's own words, baggage set around it, its parent's words, and so on; baggage of a remote caller last.
 * The prompt is that of the nearest agent only, as its span or the baggage that names it has it.
 * @param {Node} node
 * @param {boolean} mayWait
 */
export const inherited = (node, mayWait) => climb(node, mayWait, true, true);

/**
 * An agent that calls itself without end must not cost the square of its depth: see `FAR`.
 * @param {Node} first
 * @param {boolean} mayWait
 * @param {boolean} isInside while no agent has been passed
 * @param {boolean} isOwn whether the first one is the one that asks
 * @returns {Inherited}
 */
function climb(first, mayWait, isInside, isOwn) {
  /** @type {Record<string, AttributeValue>} */
  const values = {};
  /** @type {Node | undefined} */
  let waitsFor;
  /** @type {Node | undefined} */
  let current = first;
  for (; current !== undefined; current = current.parent) {
    const { attributes, around, metadata } = current;
    // A framework may have spans around the agent's own, and the program says around those who it is.
    const named = around?.[Attr.AGENT_NAME];
    const keys = isInside || (named !== undefined && named === values[Attr.AGENT_NAME]) ? OF_THE_AGENT : OF_THE_RUN;
    if (isInside) {
      const isBorder = current.role === Role.AGENT;
      const agent = agentAt(current, (isOwn && current === first) || isBorder);
      if (values[Attr.AGENT_NAME] === undefined) {
        if (agent !== undefined) values[Attr.AGENT_NAME] = agent;
        else if (isBorder && !current.endedAt) {
          const until = current.meanwhile;
          if (mayWait && until !== undefined) waitsFor = current;
          else if (until !== undefined) values[Attr.AGENT_NAME] = until;
        }
      }
      // An agent whose name is not known is still not the one around it.
      isInside = !(isBorder || around?.[Attr.AGENT_NAME] !== undefined);
    }
    for (const key of keys) {
      if (values[key] !== undefined) continue;
      const value = attributes[key] ?? metadata?.[key] ?? around?.[key];
      if (value !== undefined) values[key] = value;
    }
    if (current.beyond !== undefined && first.depth - current.depth >= FAR) {
      const far = current.beyond[isInside ? "inside" : "outside"];
      for (const key in far.values) values[key] ??= far.values[key];
      if (values[Attr.AGENT_NAME] !== undefined || far.waitsFor === undefined) break;
      const agent = far.waitsFor.agent ?? (mayWait ? undefined : far.waitsFor.meanwhile);
      if (agent !== undefined) values[Attr.AGENT_NAME] = agent;
      else if (!far.waitsFor.endedAt) waitsFor = far.waitsFor;
      break;
    }
  }
  return { values, waitsFor };
}

/**
 * The agent that a span, or the baggage set around it, names.
 * @param {Node} node
 * @param {boolean} isAsked whether more counts than the attribute itself
 */
function agentAt(node, isAsked) {
  const own = isAsked || node.attributes[Attr.AGENT_NAME] !== undefined ? node.agent : undefined;
  return own ?? node.around?.[Attr.AGENT_NAME];
}

/**
 * @param {Baggage | undefined} before
 * @param {Baggage | undefined} after
 * @returns {Record<string, string> | undefined}
 */
function setSince(before, after) {
  if (after === undefined || after === before) return undefined;
  // Who names an agent states its prompt too, also where it is that of the task.
  const isAnother = value(before, Attr.AGENT_NAME) !== value(after, Attr.AGENT_NAME);
  /** @type {Record<string, string> | undefined} */
  let found;
  for (const key of IN_BAGGAGE) {
    const now = value(after, key);
    if (
      now === undefined ||
      (now === value(before, key) && !(isAnother && PROMPT.includes(/** @type {any} */ (key))))
    ) {
      continue;
    }
    found ??= {};
    found[key] = now;
  }
  return found;
}

/**
 * @param {Baggage | undefined} baggage
 * @param {string} key
 */
function value(baggage, key) {
  return baggage?.getEntry(key)?.value || undefined;
}
