// A request of the MCP protocol that no tool span surrounds is the tool call itself.

import { SpanKind } from "@opentelemetry/api";
import { Role } from "./dialects.js";
import { Attr, Operation } from "./names.js";

/** @typedef {import("./lineage.js").Node} Node */

const CALL = "tools/call";
const NAMED = /^(?:MCP send )?tools\/call (.+)$/;

/**
 * The attributes that make a client's `tools/call` span a tool call; undefined where another span is it.
 * @param {Node} node
 * @param {SpanKind} kind
 * @returns {import("@opentelemetry/api").Attributes | undefined}
 */
export function asToolCall(node, kind) {
  if (kind !== SpanKind.CLIENT || node.attributes[Attr.MCP_METHOD] !== CALL) return undefined;
  const above = node.nearest(Role.TOOL, Role.MCP, Role.AGENT, Role.WORKFLOW)?.role;
  if (above === Role.TOOL || above === Role.MCP) return undefined;
  const named = node.attributes[Attr.TOOL_NAME] === undefined ? NAMED.exec(node.name) : null;
  return { [Attr.OPERATION]: Operation.EXECUTE_TOOL, ...(named ? { [Attr.TOOL_NAME]: named[1] } : {}) };
}

/**
 * The span around a request that may turn out to be the tool's: one that has not said anything yet.
 * @param {Node} node
 */
export function waitsFor(node) {
  const outer = node.parent;
  if (outer === undefined || outer.endedAt || outer.role !== Role.OTHER) return undefined;
  for (const _ in outer.attributes) return undefined;
  return outer;
}
