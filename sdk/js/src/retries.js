// Repeated calls: a call of the same tool by the same agent with the same arguments, begun after one of them had failed,
// is a retry. So is a call of the same model below the same span: a client that tries again makes a span of each
// attempt, as the AI SDK does until 6. State lies on the run's first span, or on the span around, and goes with it.

import { SpanStatusCode } from "@opentelemetry/api";
import { Role, toolName } from "./dialects.js";
import {
  Attr,
  CONTROL_FLOW,
  FAILED_RESULT,
  RESULT_HEAD,
  RESULT_TAIL,
  SHORT_RESULT,
  SUSPICIOUS_WORDS,
  TOOL_ARGUMENTS,
  TOOL_RESULTS,
} from "./names.js";

/** @typedef {import("./lineage.js").Node} Node */
/** @typedef {import("@opentelemetry/sdk-trace-base").ReadableSpan} ReadableSpan */
/** @typedef {{ endedAt: number, endTime: import("@opentelemetry/api").HrTime, number: number }} Failed */

const MODELS = [Attr.REQUEST_MODEL, "ai.model.id", "llm.model_name"];
const MESSAGES = [
  Attr.INPUT_MESSAGES,
  "ai.prompt.messages",
  "input.value",
  "traceloop.entity.input",
  "langfuse.observation.input",
];
const MOST_FAILED = 256; // of one run; a root may stay open for days
const COARSE_NS = 1e6; // starts are told in whole milliseconds

/**
 * Which attempt an ended tool call was, counted from 0; remembers it if it failed. Undefined for a first one, and where
 * the sender numbers attempts itself.
 * @param {Node} node
 * @param {ReadableSpan} span
 * @param {string} agent
 * @param {boolean} failed
 */
export function ofTool(node, span, agent, failed) {
  // The same call once more: a protocol's client inside the framework's tool.
  if (node.nearest(Role.TOOL, Role.AGENT, Role.WORKFLOW)?.role === Role.TOOL) return undefined;
  const run = node.topmost;
  if (run.failedCalls === undefined && !failed) return undefined;
  return count(run, node, span, [agent, toolName(node.name, node.attributes), digest(node, TOOL_ARGUMENTS)], failed);
}

/**
 * The same of an ended model call; undefined for one without a span around it, too.
 * @param {Node} node
 * @param {ReadableSpan} span
 * @param {string} agent
 */
export function ofModel(node, span, agent) {
  const around = node.parent;
  const failed = span.status.code === SpanStatusCode.ERROR || node.attributes[Attr.ERROR_TYPE] !== undefined;
  if (around === undefined || (around.failedCalls === undefined && !failed)) return undefined;
  const model = MODELS.map((key) => node.attributes[key]).find((value) => value !== undefined) ?? node.name;
  return count(around, node, span, [agent, node.scope, String(model), digest(node, MESSAGES)], failed);
}

/**
 * @param {Node} run where what has failed is remembered
 * @param {Node} node
 * @param {ReadableSpan} span
 * @param {string[]} what tells it from other calls
 * @param {boolean} failed
 */
function count(run, node, span, what, failed) {
  if (node.attributes[Attr.RETRY_ATTEMPT] !== undefined) return undefined;
  run.failedCalls ??= new Map();
  const call = JSON.stringify(what);
  const before = run.failedCalls.get(call);
  const isAfter =
    before !== undefined && before.endedAt < node.startedAt && isNotEarlier(span.startTime, before.endTime);
  const number = isAfter ? before.number + 1 : 0;
  if (failed) {
    run.failedCalls.set(call, { endedAt: node.endedAt, endTime: span.endTime, number });
    if (run.failedCalls.size > MOST_FAILED)
      run.failedCalls.delete(/** @type {string} */ (run.failedCalls.keys().next().value));
  } else if (number) run.failedCalls.delete(call);
  return number || undefined;
}

/**
 * Whether a tool call failed: by its status, its error type, or the text of its result. A pause is no failure.
 * @param {ReadableSpan} span
 */
export function hasFailed(span) {
  const { attributes, status } = span;
  if (status.code === SpanStatusCode.ERROR || attributes[Attr.ERROR_TYPE] !== undefined)
    return !CONTROL_FLOW.test(raised(span));
  if (attributes["langfuse.observation.level"] === "ERROR") return true;
  if (attributes["gen_ai.tool.status"] === "error") return true;
  for (const key of TOOL_RESULTS) {
    const result = attributes[key];
    if (typeof result === "string") return tellsOfFailure(result);
  }
  return false;
}

/**
 * The type of what a failed call raised.
 * @param {ReadableSpan} span
 */
function raised({ attributes, events }) {
  const kinds = events.map((event) => event.attributes?.["exception.type"]);
  return String(attributes[Attr.ERROR_TYPE] ?? kinds.find(Boolean) ?? "");
}

/**
 * What lies between the ends of a long result is somebody's data.
 * @param {string} result
 */
function tellsOfFailure(result) {
  const isShort = result.length <= SHORT_RESULT;
  const ends = isShort ? result : `${result.slice(0, RESULT_HEAD)}\n${result.slice(-RESULT_TAIL)}`;
  return SUSPICIOUS_WORDS.some((word) => ends.includes(word)) && FAILED_RESULT.test(ends);
}

/**
 * Spans may be told long after they happened, all in a row; then their times decide.
 * @param {import("@opentelemetry/api").HrTime} start
 * @param {import("@opentelemetry/api").HrTime} end
 */
function isNotEarlier(start, end) {
  return (start[0] - end[0]) * 1e9 + (start[1] - end[1]) > -COARSE_NS;
}

/**
 * What tells two calls apart; where content is hidden, all calls are alike.
 * @param {Node} node
 * @param {string[]} keys
 */
function digest({ attributes }, keys) {
  for (const key of keys) {
    const value = attributes[key];
    if (typeof value === "string" && value) return value.length > 64 ? hash(value) : value;
  }
  return "";
}

/**
 * 53 bits (cyrb53): arguments may be long, and only equal ones must look alike.
 * @param {string} text
 */
function hash(text) {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return `${text.length}:${4294967296 * (2097151 & low) + (high >>> 0)}`;
}
