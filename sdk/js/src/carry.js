// Says who works where no framework does, or which prompt and graph: as baggage, which calls to other processes take
// along.

import { context, propagation } from "@opentelemetry/api";
import { Attr } from "./names.js";

/** @type {[keyof import("./index.d.ts").Carried, string][]} */
const KEYS = [
  ["agent", Attr.AGENT_NAME],
  ["promptName", Attr.PROMPT_NAME],
  ["promptVersion", Attr.PROMPT_VERSION],
  ["graphVersion", Attr.GRAPH_VERSION],
  ["track", Attr.TRACK],
  ["release", Attr.RELEASE],
  ["conversation", Attr.CONVERSATION_ID],
];

/**
 * Run a function; spans that start in it, also after an `await`, belong to what is given.
 * @template T
 * @param {import("./index.d.ts").Carried} values
 * @param {() => T} work
 * @returns {T}
 */
export function carry(values, work) {
  let baggage = propagation.getActiveBaggage() ?? propagation.createBaggage();
  // Another agent has another prompt.
  if (values.agent !== undefined) baggage = baggage.removeEntries(Attr.PROMPT_NAME, Attr.PROMPT_VERSION);
  for (const [key, name] of KEYS) {
    const value = values[key];
    if (value !== undefined) baggage = baggage.setEntry(name, { value: String(value) });
  }
  return context.with(propagation.setBaggage(context.active(), baggage), work);
}
