// The Vercel AI SDK itself, of both generations, with its own mock model: a coordinator whose tool is a researcher.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OpenTelemetry } from "@ai-sdk/otel";
import * as ai7 from "ai";
import { MockLanguageModelV4 } from "ai/test";
import * as ai5 from "ai-5";
import { MockLanguageModelV2 } from "ai-5/test";
import { z } from "zod";
import { carry } from "agentobs-sdk";
import { Role, roleOf, toolName } from "../src/dialects.js";
import { Attr } from "../src/names.js";
import { AGENT, OPERATION, Traced } from "./traced.js";

const call = (toolName, input) => ({
  type: "tool-call",
  toolCallId: `${toolName}-1`,
  toolName,
  input: JSON.stringify(input),
});

/** A model that says these things in this order. */
const scripted = (Model, usage, reasons, ...replies) => {
  const left = [...replies];
  return new Model({
    doGenerate: async () => {
      const reply = left.shift();
      const content = typeof reply === "string" ? [{ type: "text", text: reply }] : [reply];
      return { content, finishReason: reasons[typeof reply === "string" ? "stop" : "tool-calls"], usage, warnings: [] };
    },
  });
};
const GENERATIONS = {
  "AI SDK 5": {
    ai: ai5,
    model: (...replies) =>
      scripted(
        MockLanguageModelV2,
        { inputTokens: 10, outputTokens: 2, totalTokens: 12 },
        { stop: "stop", "tool-calls": "tool-calls" },
        ...replies,
      ),
    telemetry: (functionId, tracer, metadata) => ({
      experimental_telemetry: { isEnabled: true, tracer, functionId, metadata },
    }),
  },
  "AI SDK 7": {
    ai: ai7,
    model: (...replies) =>
      scripted(
        MockLanguageModelV4,
        { inputTokens: { total: 10, noCache: 10 }, outputTokens: { total: 2, text: 2 } },
        { stop: { unified: "stop" }, "tool-calls": { unified: "tool-calls" } },
        ...replies,
      ),
    telemetry: (functionId, tracer, runtimeContext) => ({
      telemetry: {
        functionId,
        integrations: [new OpenTelemetry({ tracer, runtimeContext: true })],
        includeRuntimeContext: { promptVersion: true, sessionId: true },
      },
      runtimeContext,
    }),
  },
};

for (const [name, { ai, model, telemetry }] of Object.entries(GENERATIONS)) {
  describe(name, () => {
    /** The program: what its user writes, but for the model. */
    async function run() {
      const traced = new Traced();
      const tracer = traced.provider.getTracer(name === "AI SDK 5" ? "ai" : "gen_ai");
      let tries = 0;
      const lookup = ai.tool({
        inputSchema: z.object({ topic: z.string() }),
        execute: async () => {
          if (tries++ === 0) throw new Error("busy");
          return "shipped";
        },
      });
      const agent = (who, version, said, tools) =>
        ai.generateText({
          model: model(...said),
          prompt: "?",
          tools,
          stopWhen: ai.stepCountIs(5),
          ...telemetry(who, tracer, { promptVersion: version, sessionId: "s-1" }),
        });
      const researcher = () =>
        agent("researcher", "7", [call("lookup", { topic: "1" }), call("lookup", { topic: "1" }), "found"], { lookup });
      const ask = ai.tool({
        inputSchema: z.object({ request: z.string() }),
        execute: async () => (await researcher()).text,
      });
      const { text } = await carry({ graphVersion: "4" }, () =>
        agent("coordinator", "3", [call("ask", { request: "?" }), "all is well"], { ask }),
      );
      assert.equal(text, "all is well");
      return traced.spans;
    }

    test("each call has its agent, prompt, graph and conversation", async () => {
      const spans = await run();
      const role = (span) => roleOf(span.instrumentationScope.name, span.name, span.attributes);
      const by = (wanted, what) =>
        spans.filter((span) => role(span) === wanted).map((span) => [span.attributes[AGENT], ...what(span)].join(" "));
      assert.deepEqual(
        by(Role.MODEL, ({ attributes }) => [attributes[Attr.PROMPT_VERSION], attributes[Attr.INPUT_TOKENS]]),
        ["coordinator 3 10", "researcher 7 10", "researcher 7 10", "researcher 7 10", "coordinator 3 10"],
      );
      assert.deepEqual(
        by(Role.TOOL, (span) => [toolName(span.name, span.attributes), span.attributes[Attr.RETRY_ATTEMPT]]),
        ["researcher lookup ", "researcher lookup 1"],
      );
      assert.deepEqual(
        by(Role.AGENT, () => []),
        ["researcher", "coordinator"],
      );
      const handed = spans.filter((span) => span.attributes[OPERATION] === "agent_handoff");
      assert.deepEqual(
        handed.map((span) => toolName(span.name, span.attributes)),
        ["ask"],
      );
      for (const { attributes } of spans) {
        assert.deepEqual([attributes[Attr.GRAPH_VERSION], attributes[Attr.CONVERSATION_ID]], ["4", "s-1"]);
      }
    });
  });
}
