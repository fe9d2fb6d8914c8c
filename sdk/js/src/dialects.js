// What one span says of itself: which role it plays, and the name of the agent it is or belongs to.
//
// A table of dialects, one row per vocabulary; nothing here looks at other spans. Most attributes are not set yet when
// a span starts, so its first name counts too. Sources: runs of each framework, November 2026.

import { AGENT_HANDOFF, Attr, INFERENCE, KINDS, NESTED_CHAT, NESTED_TOOL, Operation } from "./names.js";

/** @typedef {import("@opentelemetry/api").Attributes} Attributes */
/** @typedef {"other" | "unnamed" | "workflow" | "agent" | "model" | "tool" | "mcp"} RoleName */

/** What a span stands for. `UNNAMED`: a call of the AI SDK that says no name, part of the work of the agent around. */
export const Role = /** @type {const} */ ({
  OTHER: "other",
  UNNAMED: "unnamed",
  WORKFLOW: "workflow",
  AGENT: "agent",
  MODEL: "model",
  TOOL: "tool",
  MCP: "mcp",
});

/** @type {Map<unknown, RoleName>} The conventions' own word, which decides where it is there. */
const OF_OPERATION = new Map([
  [Operation.INVOKE_AGENT, Role.AGENT],
  [Operation.INVOKE_WORKFLOW, Role.WORKFLOW],
  [Operation.EXECUTE_TOOL, Role.TOOL],
  .../** @type {[string, RoleName][]} */ (INFERENCE.map((operation) => [operation, Role.MODEL])),
  ...[AGENT_HANDOFF, NESTED_CHAT, NESTED_TOOL].map(
    (operation) => /** @type {[string, RoleName]} */ ([operation, Role.OTHER]),
  ),
]);
/** @type {[string, Record<string, RoleName>][]} Attribute of another vocabulary, its value, the role. */
const VOCABULARIES = Object.entries(KINDS).map(([key, of]) => {
  const roles = Object.entries(of).map(([value, operation]) => [value, OF_OPERATION.get(operation)]);
  return [key, Object.fromEntries(roles.filter(([, role]) => role !== undefined))];
});
/** @type {[string, RoleName][]} The conventions put the operation before the name, which is there from the start. */
const PREFIXES = [
  [`${Operation.EXECUTE_TOOL} `, Role.TOOL],
  [`${Operation.INVOKE_AGENT} `, Role.AGENT],
  [`${Operation.INVOKE_WORKFLOW} `, Role.WORKFLOW],
];

// The AI SDK: `experimental_telemetry` until 6 (and `LegacyOpenTelemetry` of 7), the scope of `@ai-sdk/otel` from 7.
const AI_OPERATION = "ai.operationId";
const AI_FUNCTION = "ai.telemetry.functionId";
const AI_SDK = "gen_ai";
const AI_TOOL = "ai.toolCall";
const AI_RUN = /^ai\.(generate|stream)(Text|Object)$/;
const AI_MODEL = /^ai\.(generate|stream)(Text|Object)\.do(Generate|Stream)$/;

// Mastra's bridge sets every attribute at the end, and the name anew; until then it is `agent run: 'id of the agent'`.
const MASTRA = "@mastra/otel-bridge";
const MASTRA_RUN = "agent run: '";
/** @type {[string, RoleName][]} */
const MASTRA_PREFIXES = [
  [MASTRA_RUN, Role.AGENT],
  ["tool: '", Role.TOOL],
  ["mcp_tool: '", Role.TOOL],
  ["llm: '", Role.MODEL],
  ["workflow run: '", Role.WORKFLOW],
];
/** @type {Map<string, string>} Names by what stands between the quotes, learnt when the first run of an agent ends. */
const mastraNames = new Map();
const MOST_NAMES = 1000;

const TOOL_NAMES = [Attr.TOOL_NAME, "ai.toolCall.name", "tool.name", "traceloop.entity.name"];
const PLACEHOLDERS = new Set(["", "OpenAI Agent", "undefined"]);

/** @type {[string, string][]} What programs say in the AI SDK's and Mastra's metadata, and its name in the contract. */
const STATED = [
  ["promptName", Attr.PROMPT_NAME],
  ["promptVersion", Attr.PROMPT_VERSION],
  ["graphVersion", Attr.GRAPH_VERSION],
  ["workflow", Attr.WORKFLOW_NAME],
  ["track", Attr.TRACK],
  ["release", Attr.RELEASE],
  ["conversationId", Attr.CONVERSATION_ID],
  ["sessionId", Attr.CONVERSATION_ID],
];
const CLASSIC_METADATA = "ai.telemetry.metadata.";
const CONTEXT_METADATA = "ai.settings.context.";
const MASTRA_METADATA = "mastra.metadata.";

/**
 * Whether the operation alone decides the role, for good.
 * @param {Attributes} attributes
 * @returns {RoleName | undefined}
 */
export function settledRole(attributes) {
  const found = OF_OPERATION.get(attributes[Attr.OPERATION]);
  return found === Role.AGENT ? undefined : found;
}

/**
 * The role of a span as far as it is known by now.
 * @param {string} scope
 * @param {string} name
 * @param {Attributes} attributes
 * @returns {RoleName}
 */
export function roleOf(scope, name, attributes) {
  /** @type {RoleName | undefined} */
  let found = OF_OPERATION.get(attributes[Attr.OPERATION]);
  if (found !== undefined && found !== Role.AGENT) return found;
  for (const [key, roles] of VOCABULARIES) {
    const value = attributes[key];
    if (value !== undefined) found = roles[String(value)] ?? found;
  }
  if (found === Role.AGENT) return isUnnamed(scope, name, attributes) ? Role.UNNAMED : found;
  return found ?? silentRole(scope, name, attributes);
}

/**
 * The role of a span that none of the common vocabularies describes.
 * @param {string} scope
 * @param {string} name
 * @param {Attributes} attributes
 * @returns {RoleName}
 */
function silentRole(scope, name, attributes) {
  const operation = attributes[AI_OPERATION];
  if (typeof operation === "string") {
    if (operation === AI_TOOL) return Role.TOOL;
    if (AI_MODEL.test(operation)) return Role.MODEL;
    if (AI_RUN.test(operation)) return attributes[AI_FUNCTION] ? Role.AGENT : Role.UNNAMED;
    return Role.OTHER;
  }
  if (attributes[Attr.MCP_METHOD] !== undefined) return Role.MCP;
  const prefixes = scope === MASTRA ? MASTRA_PREFIXES : PREFIXES;
  for (const [prefix, role] of prefixes) if (name.startsWith(prefix)) return role;
  return Role.OTHER;
}

/**
 * The AI SDK calls everything an agent, with the model's name after it where nobody gave a name.
 * @param {string} scope
 * @param {string} name
 * @param {Attributes} attributes
 */
function isUnnamed(scope, name, attributes) {
  if (scope !== AI_SDK || attributes[Attr.AGENT_NAME]) return false;
  return name === `${Operation.INVOKE_AGENT} ${attributes[Attr.REQUEST_MODEL]}`;
}

/**
 * The agent that a span is, or says it belongs to; undefined where it says nothing.
 * @param {string} scope
 * @param {string} name
 * @param {RoleName} role
 * @param {Attributes} attributes
 * @returns {string | undefined}
 */
export function agentOf(scope, name, role, attributes) {
  if (role === Role.WORKFLOW || role === Role.UNNAMED) return undefined;
  const stated = attributes[Attr.AGENT_NAME];
  if (stated !== undefined && !PLACEHOLDERS.has(String(stated))) return String(stated);
  const operation = attributes[AI_OPERATION];
  if (operation !== undefined) {
    const named = role === Role.AGENT || role === Role.MODEL || role === Role.TOOL;
    return (named && text(attributes[AI_FUNCTION])) || undefined;
  }
  if (role !== Role.AGENT) return text(attributes["tool.agent_role"]);
  const own = text(attributes["agent.name"]) ?? text(attributes["traceloop.entity.name"]);
  if (own !== undefined) return own;
  const known = scope === MASTRA ? mastraNames.get(name) : undefined;
  if (known !== undefined) return known;
  if (name.startsWith(PREFIXES[1][0])) {
    const found = name.slice(PREFIXES[1][0].length);
    return PLACEHOLDERS.has(found) ? undefined : found;
  }
  return attributes["langfuse.observation.type"] !== undefined ? name : undefined;
}

/**
 * What an open agent's span is called meanwhile, where it will say its name only at its end.
 * @param {string} scope
 * @param {string} name
 */
export function meanwhile(scope, name) {
  if (scope !== MASTRA || !name.startsWith(MASTRA_RUN)) return undefined;
  return name.slice(MASTRA_RUN.length).replace(/'$/, "") || undefined;
}

/**
 * Learn the name of an agent whose span has ended. Whether it was news.
 * @param {string} scope
 * @param {string} firstName of the span
 * @param {Attributes} attributes
 */
export function learn(scope, firstName, attributes) {
  const name = attributes[Attr.AGENT_NAME];
  if (scope !== MASTRA || typeof name !== "string" || !firstName.startsWith(MASTRA_RUN)) return false;
  if (mastraNames.get(firstName) === name || mastraNames.size >= MOST_NAMES) return false;
  mastraNames.set(firstName, name);
  return true;
}

/**
 * The tool's name on its span; the span's own name where no attribute has it.
 * @param {string} name
 * @param {Attributes} attributes
 */
export function toolName(name, attributes) {
  for (const key of TOOL_NAMES) {
    const value = text(attributes[key]);
    if (value !== undefined) return value;
  }
  return name;
}

/**
 * Prompt, graph, workflow, track and conversation in the metadata of the AI SDK, which is there from the start.
 * @param {string} scope
 * @param {Attributes} attributes
 * @returns {Record<string, string> | undefined}
 */
export function metadataOf(scope, attributes) {
  if (attributes[AI_OPERATION] !== undefined) return stated(CLASSIC_METADATA, attributes);
  return scope === AI_SDK ? stated(CONTEXT_METADATA, attributes) : undefined;
}

/**
 * The same in Mastra's metadata, at the end of a span. It stands on every span of a run, also on a sub-agent's, whose
 * prompt it is not.
 * @param {string} scope
 * @param {Attributes} attributes
 * @param {boolean} isSubAgents
 * @returns {Record<string, string> | undefined}
 */
export function metadataAtEnd(scope, attributes, isSubAgents) {
  if (scope !== MASTRA) return undefined;
  const found = stated(MASTRA_METADATA, attributes);
  if (found !== undefined && isSubAgents) {
    delete found[Attr.PROMPT_NAME];
    delete found[Attr.PROMPT_VERSION];
  }
  return found;
}

/**
 * @param {string} prefix
 * @param {Attributes} attributes
 */
function stated(prefix, attributes) {
  /** @type {Record<string, string> | undefined} */
  let found;
  for (const [key, name] of STATED) {
    const value = attributes[prefix + key];
    if (value === undefined || value === "" || found?.[name] !== undefined) continue;
    found ??= {};
    found[name] = String(value);
  }
  return found;
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" && value !== "" ? value : undefined;
}
