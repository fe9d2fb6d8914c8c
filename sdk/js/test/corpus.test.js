// Whole runs of Node frameworks, played again through the processor: every model and tool call gets its agent, none a
// wrong one. What happened was told by the scripted model and the tools, not by telemetry: tests/corpus/frameworks.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { Role, roleOf, toolName } from "../src/dialects.js";
import { Attr } from "../src/names.js";
import { AGENT, OPERATION, Traced } from "./traced.js";

const RECORDED =
  process.env.AGENTOBS_RECORDED ?? fileURLToPath(new URL("../../../tests/corpus/frameworks/recorded", import.meta.url));

/** Node cannot unpack xz; where the tests are run by pytest, that has done it. */
const lines = (name) => {
  const path = `${RECORDED}/${name}/events.jsonl`;
  const options = { encoding: "utf8", maxBuffer: 1 << 28 };
  const text = existsSync(path)
    ? readFileSync(path, "utf8")
    : execFileSync("xz", ["--decompress", "--stdout", `${path}.xz`], options);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
};
const time = (nanoseconds) => [Math.floor(nanoseconds / 1e9), nanoseconds % 1e9];
const defined = (attributes) => Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null));

/** The spans of a capture as the processor passes them on, and the tree as it was recorded. */
export function replay(name) {
  let line;
  const idGenerator = { generateSpanId: () => line.span, generateTraceId: () => line.trace };
  const traced = new Traced({ config: { idGenerator } });
  const live = new Map();
  for (line of lines(name)) {
    const span = live.get(line.span);
    if (line.event === "START") {
      const parent = live.get(line.parent);
      assert.equal(parent !== undefined, line.parent !== null, "parents are live in every capture of Node");
      const options = { kind: SpanKind[line.kind], attributes: defined(line.attributes), startTime: time(line.time) };
      const around = parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
      live.set(line.span, traced.provider.getTracer(line.scope).startSpan(line.name, options, around));
    } else if (line.event === "SET") span.setAttributes(defined(line.attributes));
    else {
      span.updateName(line.name).setAttributes(defined(line.attributes));
      for (const event of line.events) span.addEvent(event.name, event.attributes, time(event.time));
      span.setStatus({ code: SpanStatusCode[line.status], message: line.status_message ?? undefined });
      span.end(time(line.time));
    }
  }
  return traced.spans;
}

const truth = (name) => JSON.parse(readFileSync(`${RECORDED}/${name}/truth.json`, "utf8"));
/** Sums by key; a key without any is left out. */
const tally = (entries) => {
  const sums = {};
  for (const [key, by] of entries) if (by) sums[key] = (sums[key] ?? 0) + by;
  return sums;
};

// What one span of a model call is: each try of the client, each call, or, for tokens, all calls of a run in one.
const CAPTURES = {
  "ai-sdk.ai-sdk-5": { calls: (span) => role(span) === Role.MODEL, of: "http_attempts" },
  "ai-sdk.ai-sdk-7": { calls: (span) => role(span) === Role.MODEL, of: "model_calls" },
  "mastra.otel-bridge": { calls: (span) => span.attributes[OPERATION] === "model_inference", of: "model_calls" },
};
const role = (span) => roleOf(span.instrumentationScope.name, span.name, span.attributes);

for (const [name, { calls, of }] of Object.entries(CAPTURES)) {
  describe(name, () => {
    const spans = replay(name);
    const { agents, stated } = truth(name);
    const every = Object.entries(agents);
    const tools = (key) =>
      every.flatMap(([agent, all]) => Object.entries(all.tools).map(([tool, of]) => [`${agent} ${tool}`, of[key]]));
    const toolSpans = spans.filter((span) => role(span) === Role.TOOL);
    const where = (span) => `${span.attributes[AGENT]} ${toolName(span.name, span.attributes)}`;

    test("every model call has its agent", () =>
      assert.deepEqual(
        tally(spans.filter(calls).map((span) => [span.attributes[AGENT], 1])),
        tally(every.map(([agent, all]) => [agent, all[of]])),
      ));

    test("a model call that is tried again is one call and its retries", () =>
      assert.deepEqual(
        tally(
          spans
            .filter((span) => calls(span) && span.attributes[Attr.RETRY_ATTEMPT])
            .map((span) => [span.attributes[AGENT], 1]),
        ),
        tally(every.map(([agent, all]) => [agent, all[of] - all.model_calls])),
      ));

    for (const [attribute, key] of [
      [Attr.INPUT_TOKENS, "input_tokens"],
      [Attr.OUTPUT_TOKENS, "output_tokens"],
    ]) {
      test(`every agent has its ${key}`, () =>
        assert.deepEqual(
          tally(
            spans
              .filter((span) => role(span) === Role.MODEL)
              .map(({ attributes }) => [attributes[AGENT], attributes[attribute]]),
          ),
          tally(every.map(([agent, all]) => [agent, all[key]])),
        ));
    }

    test("every tool call has its agent, and a hand-over is none", () => {
      assert.deepEqual(tally(toolSpans.map((span) => [where(span), 1])), tally(tools("calls")));
      const handed = spans.filter((span) => span.attributes[OPERATION] === "agent_handoff");
      assert.deepEqual(
        tally(handed.map((span) => [span.attributes[AGENT], 1])),
        tally(every.map(([agent, all]) => [agent, all.handovers])),
      );
    });

    test("a call after a failed one is its retry", () =>
      assert.deepEqual(
        tally(toolSpans.filter((span) => span.attributes[Attr.RETRY_ATTEMPT]).map((span) => [where(span), 1])),
        tally(tools("retries")),
      ));

    test("no span bears a name that is no agent's, and none is without", () => {
      const names = new Set(spans.map((span) => span.attributes[AGENT]));
      assert.deepEqual([...names].sort(), Object.keys(agents).sort());
    });

    test("no prompt is another agent's", () => {
      const found = new Set(spans.map(({ attributes }) => [attributes[AGENT], attributes[Attr.PROMPT_VERSION]].join()));
      for (const pair of found) {
        const [agent, version] = pair.split(",");
        assert.ok(!version || stated.prompt[agent] === version, pair);
      }
      if (stated?.prompt) assert.ok(Object.entries(stated.prompt).some((pair) => found.has(pair.join())));
    });
  });
}
