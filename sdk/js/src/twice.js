// Two instrumentations of one call or run: the inner span is marked, so that runs, calls and tokens count once.

import { Role, toolName } from "./dialects.js";
import { Attr, NESTED_AGENT, NESTED_CHAT, NESTED_TOOL } from "./names.js";

/** @typedef {import("./lineage.js").Node} Node */
/** @typedef {import("@opentelemetry/api").Attributes} Attributes */

/** @type {import("./dialects.js").RoleName[]} */
const BORDERS = [Role.MODEL, Role.TOOL, Role.AGENT, Role.WORKFLOW];
const LENT = [
  Attr.INPUT_TOKENS,
  Attr.OUTPUT_TOKENS,
  Attr.CACHE_READ_TOKENS,
  Attr.CACHE_WRITE_TOKENS,
  Attr.REASONING_TOKENS,
  Attr.REQUEST_MODEL,
  Attr.RESPONSE_MODEL,
];
const TOKENS = [
  Attr.INPUT_TOKENS,
  "gen_ai.usage.prompt_tokens",
  "llm.token_count.prompt",
  "llm.usage.prompt_tokens",
  "ai.usage.promptTokens",
  "ai.usage.inputTokens",
];

/**
 * What an ended model span gets: a mark inside another one's, or the tokens that the inner one has lent.
 * @param {Node} node
 * @returns {Attributes}
 */
export function model(node) {
  const outer = node.nearest(...BORDERS);
  if (outer?.role === Role.MODEL && outer.scope !== node.scope) {
    outer.lent = present(LENT, node.attributes) ?? node.lent;
    return { [Attr.OPERATION]: NESTED_CHAT, [Attr.SPAN_DUPLICATE]: true };
  }
  if (node.lent === undefined || TOKENS.some((key) => node.attributes[key] !== undefined)) return {};
  return { ...node.lent, ...present(Object.keys(node.lent), node.attributes) };
}

/**
 * The mark of an ended tool span inside another instrumentation's span of the same tool.
 * @param {Node} node
 * @returns {Attributes}
 */
export function tool(node) {
  const outer = node.nearest(...BORDERS);
  if (outer?.role !== Role.TOOL || outer.scope === node.scope) return {};
  if (toolName(outer.name, outer.attributes) !== toolName(node.name, node.attributes)) return {};
  return { [Attr.OPERATION]: NESTED_TOOL, [Attr.SPAN_DUPLICATE]: true };
}

/**
 * The mark of an ended agent's span inside another one of the same agent: a program's around a framework's.
 * @param {Node} node
 * @returns {Attributes}
 */
export function agent(node) {
  const outer = node.nearest(Role.AGENT, Role.TOOL, Role.MODEL);
  if (outer?.role !== Role.AGENT || outer.scope === node.scope) return {};
  if (node.agent === undefined || node.agent !== outer.agent) return {};
  return { [Attr.OPERATION]: NESTED_AGENT, [Attr.SPAN_DUPLICATE]: true };
}

/**
 * @param {string[]} keys
 * @param {Attributes} attributes
 * @returns {Attributes | undefined}
 */
function present(keys, attributes) {
  const found = keys.filter((key) => attributes[key] !== undefined);
  return found.length ? Object.fromEntries(found.map((key) => [key, attributes[key]])) : undefined;
}
