// What a tool's span learns from those inside it: that it holds another agent, and why its call failed.

import { SpanStatusCode } from "@opentelemetry/api";
import { Role, toolName } from "./dialects.js";
import { AGENT_HANDOFF, Attr, TIMED_OUT_WORDS, VAGUE_TYPE } from "./names.js";

/** @typedef {import("./lineage.js").Node} Node */
/** @typedef {import("@opentelemetry/sdk-trace-base").ReadableSpan} ReadableSpan */

/**
 * Tell the tool around an ended span what that says about it.
 * @param {Node} node
 * @param {ReadableSpan} span
 */
export function tell(node, span) {
  const { role } = node;
  if (role === Role.AGENT) {
    // On all that is between, for some spans say only at their end that they are a tool's.
    let above = node.parent;
    while (above !== undefined && !above.holdsAgent && above.role !== Role.AGENT) {
      above.holdsAgent = true;
      above = above.parent;
    }
  } else if (role === Role.MCP || role === Role.TOOL) {
    const outer = node.nearest(Role.TOOL, Role.AGENT, Role.WORKFLOW);
    if (outer?.role === Role.TOOL && (role === Role.MCP || name(outer) === name(node))) {
      outer.learnt = failure(span) || outer.learnt;
    }
  }
}

/**
 * What an ended tool span was told.
 * @param {Node} node
 * @returns {import("@opentelemetry/api").Attributes}
 */
export function learnt(node) {
  if (node.holdsAgent) return { [Attr.OPERATION]: AGENT_HANDOFF };
  const stated = node.attributes[Attr.ERROR_TYPE];
  return node.learnt && (stated === undefined || VAGUE_TYPE.test(String(stated)))
    ? { [Attr.ERROR_TYPE]: node.learnt }
    : {};
}

/** @param {Node} node */
function name(node) {
  return toolName(node.name, node.attributes);
}

/**
 * Why a call failed; empty where it did not.
 * @param {ReadableSpan} span
 */
function failure(span) {
  const stated = String(span.attributes[Attr.ERROR_TYPE] ?? "");
  if (span.status.code !== SpanStatusCode.ERROR && !stated) return "";
  const words = [stated, span.status.message ?? ""];
  for (const event of span.events) {
    for (const [key, value] of Object.entries(event.attributes ?? {})) {
      if (key !== "exception.stacktrace") words.push(String(value));
    }
  }
  const text = words.join(" ").toLowerCase();
  return TIMED_OUT_WORDS.some((word) => text.includes(word)) ? "timeout" : "tool_error";
}
